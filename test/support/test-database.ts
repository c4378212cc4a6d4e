import { createHash, randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import type { Db, StatementObserver } from '#store/db.ts'
import { migrate } from '#store/migrate.ts'
import { readMigrations } from '#store/migration-files.ts'
import { openDatabase } from '#store/open-database.ts'
import { ensurePartitions } from '#store/partitions.ts'
import { ensureTemplate } from '#store/pglite-template.ts'

/** Where `npm start` and the tests keep the prepared database: `.cache/` at the root of the package. */
export const templateRoot = fileURLToPath(new URL('../../.cache', import.meta.url))

export function testEngine(): 'pglite' | 'postgres' {
  return (process.env.TEST_DATABASE_URL ?? '') === '' ? 'pglite' : 'postgres'
}

interface TestDatabaseOptions {
  onStatement?: StatementObserver
  statementLimitMs?: number
  poolSize?: number
}

/** A database of its own, migrated and empty; gone when it is closed. On PGlite, or on the server of TEST_DATABASE_URL. */
export async function openTestDatabase(options: TestDatabaseOptions = {}): Promise<Db> {
  const { db, remove } = testEngine() === 'pglite' ? await openPglite(options) : await openPostgres(options)
  await ensurePartitions(db, new Date())
  const close = db[Symbol.asyncDispose].bind(db)
  db[Symbol.asyncDispose] = async () => {
    await close()
    await remove()
  }
  return db
}

async function openPglite(options: TestDatabaseOptions) {
  const templateDir = await ensureTemplate(templateRoot)
  const dataDir = await mkdtemp(join(tmpdir(), 'perdure-test-'))
  const db = await openDatabase({ kind: 'pglite', dataDir, templateDir, ...options })
  return { db, remove: () => rm(dataDir, { recursive: true, force: true }) }
}

async function openPostgres(options: TestDatabaseOptions) {
  const { url, remove } = await createPostgresDatabase()
  return { db: await openDatabase({ kind: 'postgres', url, ...options }), remove }
}

/** The URL of a new migrated database on the server of TEST_DATABASE_URL, for tests that start processes of their own. */
export async function createPostgresDatabase(): Promise<{ url: string; remove: () => Promise<void> }> {
  const template = await ensurePostgresTemplate()
  const name = `perdure_t_${randomBytes(6).toString('hex')}`
  await administer((client) => copyTemplate(client, name, template))
  return {
    url: databaseUrl(name),
    remove: () => administer((client) => client.query(`drop database if exists ${name} with (force)`)),
  }
}

async function ensurePostgresTemplate(): Promise<string> {
  const migrations = await readMigrations()
  const digest = createHash('sha256')
    .update(migrations.map((migration) => migration.checksum).join(' '))
    .digest('hex')
  const name = `perdure_template_${digest.slice(0, 32)}`
  await administer(async (client) => {
    await client.query('select pg_advisory_lock(7366433)')
    const { rowCount } = await client.query('select from pg_database d where d.datname = $1', [name])
    if (rowCount === 1) return
    const draft = `${name}_d`
    await client.query(`drop database if exists ${draft} with (force)`)
    await client.query(`create database ${draft} template template0`)
    await using db = await openDatabase({ kind: 'postgres', url: databaseUrl(draft), poolSize: 1 })
    await migrate(db)
    await db[Symbol.asyncDispose]()
    await client.query(`alter database ${draft} rename to ${name}`)
  })
  return name
}

/** CREATE DATABASE refuses while another session copies the same template for a moment: try again. */
async function copyTemplate(client: pg.Client, name: string, template: string): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await client.query(`create database ${name} template ${template}`)
      return
    } catch (error) {
      if ((error as { code?: string }).code !== '55006' || attempt === 100) throw error
      await sleep(100)
    }
  }
}

function databaseUrl(name: string): string {
  const url = new URL(process.env.TEST_DATABASE_URL ?? '')
  url.pathname = `/${name}`
  return url.href
}

async function administer(work: (client: pg.Client) => Promise<unknown>): Promise<void> {
  const client = new pg.Client({ connectionString: process.env.TEST_DATABASE_URL })
  await client.connect()
  try {
    await work(client)
  } finally {
    await client.end()
  }
}
