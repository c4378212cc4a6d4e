import { randomBytes } from 'node:crypto'
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Config } from './config.ts'

/** Beside the embedded database. Whoever copies the folder has both; a copy of the database alone tells nothing. */
const KEY_FILE = 'encryption-key'

/**
 * The text that the key of secrets at rest is made of: the setting, else for an embedded database a file with 32 random bytes, which
 * is made at the first start. Undefined on PostgreSQL without the setting: replicas could not agree on one.
 */
export async function findEncryptionKey(
  config: Pick<Config, 'encryptionKey' | 'databaseUrl' | 'dataDir'>,
): Promise<string | undefined> {
  if (config.encryptionKey !== undefined || config.databaseUrl !== undefined) return config.encryptionKey
  const path = join(config.dataDir, KEY_FILE)
  return (await readKey(path)) ?? (await makeKey(path))
}

async function readKey(path: string): Promise<string | undefined> {
  try {
    return (await readFile(path, 'utf8')).trim()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** Whole or not there: linked under its name once it is written, and never over another. */
async function makeKey(path: string): Promise<string> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  const draft = `${path}.${process.pid}`
  await writeFile(draft, `${randomBytes(32).toString('base64url')}\n`, { mode: 0o600, flush: true })
  try {
    await link(draft, path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error
    })
  } finally {
    await rm(draft, { force: true })
  }
  return (await readKey(path)) ?? ''
}
