import { mkdir, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { DomainError } from '#platform/errors.ts'

/**
 * Makes the data directory and what is missing above it, for this user only. Throws, in words for whoever starts the server,
 * when it cannot be made or is no directory. (The recursive `mkdir` of Node never ends on some file systems, /proc for one.)
 */
export async function makeDataDirectory(path: string): Promise<void> {
  try {
    await makeFolder(path)
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error'
    throw new DomainError(
      'invalid_argument',
      `the data directory ${path} cannot be used (${code}): set PERDURE_DATA_DIR to a folder that this user may write`,
      { cause: error },
    )
  }
}

async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST' && (await isDirectory(path))) return
    const parent = dirname(path)
    if (code !== 'ENOENT' || parent === path || (await isDirectory(parent))) throw error
    await makeFolder(parent)
    await mkdir(path, { mode: 0o700 })
  }
}

const isDirectory = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  )
