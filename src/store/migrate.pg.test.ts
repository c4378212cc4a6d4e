import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openTestDatabase } from '../../test/support/test-database.ts'
import { type Db, statement } from './db.ts'
import { migrate } from './migrate.ts'

let db: Db
let directory: string
beforeEach(async () => {
  db = await openTestDatabase()
  await db.execute('drop table schema_migrations')
  directory = await mkdtemp(join(tmpdir(), 'perdure-migrations-'))
  await writeFile(
    join(directory, '0001-first.sql'),
    'create table firsts (id int);\ninsert into firsts values (1), (2);\n',
  )
  await writeFile(join(directory, '0002-second.sql'), 'create table seconds (id int);')
})
afterEach(async () => {
  await db[Symbol.asyncDispose]()
  await rm(directory, { recursive: true })
})

const tables = statement(
  'test-tables',
  "select relname from pg_class where relname in ('firsts', 'seconds', 'thirds') order by 1",
)

test('applies what is missing, in order, once', async () => {
  const lines: string[] = []
  expect(await migrate(db, { directory, onProgress: (line) => lines.push(line) })).toEqual({
    applied: ['0001-first', '0002-second'],
  })
  expect(lines).toEqual(['applying migration 0001-first', 'applying migration 0002-second'])
  expect(await migrate(db, { directory })).toEqual({ applied: [] })
  expect(await db.query(tables)).toEqual([{ relname: 'firsts' }, { relname: 'seconds' }])
})

test('two at once: each migration is applied by one of them', async () => {
  const both = await Promise.all([migrate(db, { directory }), migrate(db, { directory })])
  expect(both.flatMap((result) => result.applied).sort()).toEqual(['0001-first', '0002-second'])
  expect(await db.query(statement('test-firsts', 'select count(*) as count from firsts'))).toEqual([{ count: 2 }])
})

test('a migration that fails changes nothing and says which one it was', async () => {
  await writeFile(join(directory, '0003-third.sql'), 'create table thirds (id int); select 1 / 0;')
  await expect(migrate(db, { directory })).rejects.toThrow(/0003-third failed and changed nothing: division by zero/)
  expect(await db.query(tables)).toEqual([{ relname: 'firsts' }, { relname: 'seconds' }])
})

test('refuses when an applied file was changed', async () => {
  await migrate(db, { directory })
  await writeFile(join(directory, '0002-second.sql'), 'create table seconds (id bigint);')
  await expect(migrate(db, { directory })).rejects.toThrow(/0002-second was changed after it was applied/)
})

test('refuses a database that a newer version has used', async () => {
  await migrate(db, { directory })
  await rm(join(directory, '0002-second.sql'))
  await expect(migrate(db, { directory })).rejects.toThrow(/0002-second, which this version does not know/)
})

test('leaves the database of a V1 server alone, and says what to do', async () => {
  await db.execute('create table alembic_version (version_num text)')
  await expect(migrate(db, { directory })).rejects.toThrow(/left as it is.*PERDURE_DATABASE_URL.*migrating-from-v1\.md/)
  expect(await db.query(tables)).toEqual([])
})
