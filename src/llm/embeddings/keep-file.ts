import { existsSync } from 'node:fs'
import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

export interface Folder {
  has(name: string): boolean
  pathOf(name: string): string
}

/** A folder that is made if it can be; that it cannot be written to is found by the one who writes. */
export async function prepareFolder(path: string): Promise<Folder> {
  await mkdir(path, { recursive: true }).catch(() => {})
  return { has: (name) => existsSync(join(path, name)), pathOf: (name) => join(path, name) }
}

/** Writes a file that is complete or not there, also when several processes do so at once. Throws what the file system says. */
export async function keepFile(path: string, bytes: Uint8Array): Promise<void> {
  const temporary = `${path}.${process.pid}.${Date.now()}.tmp`
  try {
    await writeFile(temporary, bytes, { mode: 0o600, flush: true })
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {})
    throw error
  }
}
