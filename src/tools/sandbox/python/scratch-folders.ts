import { lstat, mkdir, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A file of one byte takes a block, and so does a folder: many small ones are not free. */
const BLOCK_BYTES = 4096
const SECTOR_BYTES = 512

const PREFIX = 'perdure-tools-'
/** Far longer than a call, and than a server without any. */
const FORGOTTEN_MS = 24 * 3600 * 1000

/** Private folders for calls, below one that goes when this is disposed. */
export class ScratchFolders implements AsyncDisposable {
  readonly #root: string
  #last = 0

  private constructor(root: string) {
    this.#root = root
  }

  /**
   * Undefined where nothing can be written.
   * @param parent null for none; without it, the system's folder for temporary files
   */
  static async open(parent: string | null | undefined): Promise<ScratchFolders | undefined> {
    if (parent === null) return undefined
    const folder = parent ?? tmpdir()
    try {
      const scratch = new ScratchFolders(await mkdtemp(join(folder, PREFIX)))
      await removeForgotten(folder)
      return scratch
    } catch {
      return undefined
    }
  }

  async create(): Promise<string> {
    this.#last += 1
    const path = join(this.#root, `${this.#last}`)
    // with the one above it, should that have been taken for forgotten
    await mkdir(path, { mode: 0o700, recursive: true })
    return path
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await removeFolder(this.#root)
  }
}

/** Of servers that were killed. */
async function removeForgotten(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!name.startsWith(PREFIX)) continue
    const status = await lstat(join(folder, name)).catch(() => undefined)
    if (!status?.isDirectory() || status.uid !== process.getuid?.()) continue
    if (Date.now() - status.mtimeMs > FORGOTTEN_MS) await removeFolder(join(folder, name)).catch(() => undefined)
  }
}

export async function removeFolder(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true, maxRetries: 2 })
}

/** What a process has written: the files of its folder, and those that it removed but holds open. Stops counting above `enough`. */
export async function measureScratch(path: string, pid: number, enough: number): Promise<number> {
  const inFolder = await measureFolder(path, enough)
  return inFolder > enough ? inFolder : inFolder + (await measureRemovedFiles(pid))
}

async function measureFolder(path: string, enough: number): Promise<number> {
  let total = 0
  const folders = [path]
  for (let folder = folders.pop(); folder !== undefined && total <= enough; folder = folders.pop()) {
    for (const entry of await readdir(folder, { withFileTypes: true }).catch(() => [])) {
      const file = join(folder, entry.name)
      // the code can remove or replace it at any moment; links are not followed
      const status = await lstat(file).catch(() => undefined)
      total += Math.max(BLOCK_BYTES, (status?.blocks ?? 0) * SECTOR_BYTES)
      if (entry.isDirectory()) folders.push(file)
      if (total > enough) break
    }
  }
  return total
}

async function measureRemovedFiles(pid: number): Promise<number> {
  let total = 0
  for (const fd of await readdir(`/proc/${pid}/fd`).catch(() => [])) {
    const status = await stat(`/proc/${pid}/fd/${fd}`).catch(() => undefined)
    if (status?.isFile() && status.nlink === 0) total += status.blocks * SECTOR_BYTES
  }
  return total
}

/** Threads of a process; 0 where it is gone. */
export async function countThreads(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => '')
  // the name in parentheses can have anything in it; the number of threads is the 18th field after it
  return Number(text.slice(text.lastIndexOf(')') + 2).split(' ')[17] ?? 0)
}
