import { newId } from '#platform/ids.ts'
import type { Db } from '#store/db.ts'
import { deleteStoredUpload, insertStoredUpload } from '#store/files/stored-uploads.ts'
import type { UploadStorage } from './storage/upload-storage.ts'

/**
 * A file that is being uploaded: looked at as it arrives, and kept in the storage. Unless a row of `files` takes it over, what was kept is deleted when
 * the object is disposed; that of a process that dies is found by the sweep (`sweep-uploads.ts`).
 */
export class IncomingUpload implements AsyncDisposable {
  /** Of the file that it will be. */
  readonly fileId = newId('file')
  readonly #db: Db
  readonly #storage: UploadStorage
  readonly #organizationId: string
  readonly #content: AsyncIterator<Uint8Array>
  #pending: Uint8Array[] = []
  #sizeBytes = 0
  #isKept = false

  constructor(db: Db, storage: UploadStorage, organizationId: string, content: AsyncIterable<Uint8Array>) {
    this.#db = db
    this.#storage = storage
    this.#organizationId = organizationId
    this.#content = content[Symbol.asyncIterator]()
  }

  /** Reads until there are more than `maxBytes`, or no more. */
  async readStart(maxBytes: number): Promise<{ bytes: Uint8Array; isWhole: boolean }> {
    while (this.#sizeBytes <= maxBytes) {
      const chunk = await this.#next()
      if (chunk === undefined) return { bytes: Buffer.concat(this.#pending), isWhole: true }
      this.#pending.push(chunk)
    }
    return { bytes: Buffer.concat(this.#pending), isWhole: false }
  }

  /** Keeps everything, to the end. */
  async keep(): Promise<{ sizeBytes: number }> {
    const { kind } = this.#storage
    // noted first: bytes that are stored elsewhere are never unknown to the database
    if (kind !== 'database') await insertStoredUpload(this.#db, this.#organizationId, this.fileId, kind)
    this.#isKept = true
    await this.#storage.write(this.#key(), this.#rest())
    return { sizeBytes: this.#sizeBytes }
  }

  /** It belongs to a file now. */
  handOver(): void {
    this.#isKept = false
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#isKept) return
    try {
      await this.#storage.delete(this.#key(), true)
      await deleteStoredUpload(this.#db, this.#organizationId, this.fileId)
    } catch {
      // why the upload failed is what the caller hears; the sweep comes for what is left
    }
  }

  #key() {
    return { organizationId: this.#organizationId, fileId: this.fileId }
  }

  async *#rest(): AsyncGenerator<Uint8Array> {
    const pending = this.#pending
    this.#pending = []
    while (pending.length > 0) yield pending.shift() as Uint8Array
    for (let chunk = await this.#next(); chunk !== undefined; chunk = await this.#next()) yield chunk
  }

  async #next(): Promise<Uint8Array | undefined> {
    const { done, value } = await this.#content.next()
    if (done === true) return undefined
    this.#sizeBytes += value.length
    return value
  }
}
