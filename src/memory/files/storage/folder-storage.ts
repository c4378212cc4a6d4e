import { constants, createReadStream } from 'node:fs'
import { access, type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { errorMessage } from '#platform/errors.ts'
import { StorageUnavailable, type UploadKey, UploadMissing, type UploadStorage } from './upload-storage.ts'

const READ_BYTES = 256 * 1024
/** Ids as the server makes them. */
const SAFE_NAME = /^[a-z_]+-[0-9a-f-]{36}$/

/**
 * Keeps uploads in a folder of the disk, as `<organisation>/<file>` by their ids: for one server, or for several that share the folder. Nobody but
 * the user of the server can read them.
 */
export class FolderStorage implements UploadStorage {
  readonly kind = 'folder'
  readonly #root: string

  /** @param root an absolute path; it is made where it is not there */
  constructor(root: string) {
    this.#root = root
  }

  /** Throws where the folder cannot be made or written to. */
  async open(): Promise<void> {
    await mkdir(this.#root, { recursive: true, mode: 0o700 })
    await access(this.#root, constants.W_OK | constants.X_OK)
  }

  async write(key: UploadKey, content: AsyncIterable<Uint8Array>): Promise<void> {
    const path = this.#pathOf(key)
    const draft = `${path}.part`
    // until it is renamed it is no upload, whatever happens to this process
    const file = await attempt(async () => {
      await mkdir(dirname(path), { recursive: true, mode: 0o700 })
      return open(draft, 'wx', 0o600)
    })
    try {
      await writeAll(file, content)
      await attempt(() => rename(draft, path))
    } catch (error) {
      // one that stays is found by the sweep
      await rm(draft, { force: true }).catch(() => undefined)
      throw error
    }
  }

  async *read(key: UploadKey, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    const path = this.#pathOf(key)
    try {
      yield* createReadStream(path, { highWaterMark: READ_BYTES, signal })
    } catch (error) {
      signal.throwIfAborted()
      if (isMissing(error) && (await this.#isThere())) {
        throw new UploadMissing('The folder of uploads has nothing of the file. Do all servers share the folder?')
      }
      throw unavailable(error)
    }
  }

  async delete(key: UploadKey, isBroken: boolean): Promise<void> {
    const path = this.#pathOf(key)
    // what is on a volume that is not mounted is not gone
    await attempt(() => access(this.#root))
    await attempt(() => rm(path, { force: true }))
    if (isBroken) await attempt(() => rm(`${path}.part`, { force: true }))
  }

  /** False for a volume that is not mounted. */
  #isThere(): Promise<boolean> {
    return access(this.#root).then(
      () => true,
      () => false,
    )
  }

  #pathOf({ organizationId, fileId }: UploadKey): string {
    for (const name of [organizationId, fileId]) {
      if (!SAFE_NAME.test(name)) throw new Error(`${JSON.stringify(name)} is no id, and becomes no name of a file`)
    }
    return join(this.#root, organizationId, fileId)
  }
}

async function writeAll(file: FileHandle, content: AsyncIterable<Uint8Array>): Promise<void> {
  try {
    for await (const chunk of content) await attempt(() => file.appendFile(chunk))
    await attempt(() => file.sync())
  } finally {
    await file.close()
  }
}

async function attempt<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work()
  } catch (error) {
    throw unavailable(error)
  }
}

const isMissing = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ENOENT'

const unavailable = (error: unknown): StorageUnavailable =>
  new StorageUnavailable('folder', new Error(`PERDURE_FILE_STORAGE_FOLDER: ${errorMessage(error)}`))
