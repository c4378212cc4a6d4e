import { randomBytes } from 'node:crypto'
import { cp, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { PgliteConnection } from './pglite-connection.ts'

/** A file that keeps an empty folder in the published package, which npm would drop; no part of a database. */
export const EMPTY_FOLDER_MARK = '.keep'

/** True when a database stands in `directory`. */
export async function hasDatabase(directory: string): Promise<boolean> {
  return stat(join(directory, 'PG_VERSION')).then(
    () => true,
    () => false,
  )
}

/** Puts a copy of a prepared database at `target`. It is whole and on the disk, or not there, whenever the machine stops. */
export async function copyDatabase(source: string, target: string): Promise<void> {
  const filter = (path: string) => basename(path) !== EMPTY_FOLDER_MARK
  await createWhole(target, (draft) => cp(source, draft, { recursive: true, filter }))
}

/** Makes an empty database at `target` with initdb; takes 4-6 s. */
export async function initializeDatabase(target: string): Promise<void> {
  await createWhole(target, async (draft) => {
    const connection = await PgliteConnection.open(draft, () => {})
    await connection.close()
  })
}

/** Lets `fill` make a directory under another name beside `target`, syncs it, and gives it its name. */
export async function createWhole(target: string, fill: (draft: string) => Promise<void>): Promise<void> {
  const parent = dirname(target)
  const prefix = `${basename(target)}.draft-`
  const draft = join(parent, `${prefix}${process.pid}-${randomBytes(4).toString('hex')}`)
  await mkdir(draft, { recursive: true, mode: 0o700 })
  try {
    await fill(draft)
    await syncTree(draft)
    await rename(draft, target)
    await syncPath(parent)
  } catch (error) {
    await rm(draft, { recursive: true, force: true })
    throw error
  }
}

/** Removes what earlier attempts left that were killed; only while `target` is locked. */
export async function removeDrafts(target: string): Promise<void> {
  const prefix = `${basename(target)}.draft-`
  const names = await readdir(dirname(target))
  await Promise.all(
    names
      .filter((name) => name.startsWith(prefix))
      .map((name) => rm(join(dirname(target), name), { recursive: true, force: true })),
  )
}

async function syncTree(directory: string): Promise<void> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true })
  const paths = [directory, ...entries.map((entry) => join(entry.parentPath, entry.name))]
  // several at once: the file system then writes its journal once for all of them
  const workers = Array.from({ length: 16 }, async () => {
    for (let path = paths.pop(); path !== undefined; path = paths.pop()) await syncPath(path)
  })
  await Promise.all(workers)
}

async function syncPath(path: string): Promise<void> {
  // Windows cannot open a directory, and has no need to
  const handle = await open(path, 'r').catch((error: NodeJS.ErrnoException) => {
    if (process.platform === 'win32') return undefined
    throw error
  })
  try {
    await handle?.sync()
  } catch (error) {
    if (process.platform !== 'win32') throw error
  } finally {
    await handle?.close()
  }
}
