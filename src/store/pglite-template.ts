import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { DomainError } from '#platform/errors.ts'
import { createWhole, hasDatabase, initializeDatabase, removeDrafts } from './data-directory.ts'
import { lockDataDirectory } from './data-directory-lock.ts'
import { migrate } from './migrate.ts'
import { readMigrations } from './migration-files.ts'
import { PgliteDb } from './pglite.ts'

const PREFIX = 'database-template-'

/**
 * Where the template of this version lies below `root`: named after what it is made of, PGlite's version and the migrations.
 * The directory need not exist.
 */
export async function templateDirectory(root: string): Promise<string> {
  const hash = createHash('sha256').update(`1 ${await pgliteVersion()}`)
  for (const migration of await readMigrations()) hash.update(` ${migration.checksum}`)
  return join(root, PREFIX + hash.digest('hex').slice(0, 16))
}

/**
 * Makes sure that a migrated, empty database stands below `root`, and returns its directory for `openDatabase`'s `templateDir`.
 * Returns at once where it exists, takes 5-10 s where not. Several processes may call it at once: one builds, the others wait.
 */
export async function ensureTemplate(root: string, onProgress?: (line: string) => void): Promise<string> {
  const target = await templateDirectory(root)
  while (!(await hasDatabase(join(target, 'database')))) {
    await mkdir(root, { recursive: true })
    try {
      await using _lock = await lockDataDirectory(target)
      if (!(await hasDatabase(join(target, 'database')))) await buildTemplate(target, onProgress)
    } catch (error) {
      if (!(error instanceof DomainError && error.kind === 'conflict')) throw error
      await sleep(100)
    }
  }
  return target
}

async function buildTemplate(target: string, onProgress: ((line: string) => void) | undefined): Promise<void> {
  onProgress?.('preparing the embedded database, once, about ten seconds')
  const root = join(target, '..')
  await removeDrafts(target)
  for (const name of await readdir(root)) {
    if (name.startsWith(PREFIX) && !name.includes('.')) await rm(join(root, name), { recursive: true, force: true })
  }
  await createWhole(target, async (draft) => {
    await initializeDatabase(join(draft, 'database'))
    await using db = await PgliteDb.open({ dataDir: draft })
    await migrate(db, { onProgress })
  })
  onProgress?.('the embedded database is prepared')
}

async function pgliteVersion(): Promise<string> {
  // its package.json is not among its exports
  const entry = createRequire(import.meta.url).resolve('@electric-sql/pglite')
  const { version } = JSON.parse(await readFile(join(dirname(entry), '../package.json'), 'utf8')) as { version: string }
  return version
}
