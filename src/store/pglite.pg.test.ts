import { type ChildProcess, spawn } from 'node:child_process'
import { mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { templateRoot, testEngine } from '../../test/support/test-database.ts'
import { statement } from './db.ts'
import { PgliteDb } from './pglite.ts'
import { ensureTemplate } from './pglite-template.ts'

const program = fileURLToPath(new URL('../../test/support/database-process.ts', import.meta.url))
const children: ChildProcess[] = []

/** Starts the process and resolves with what it has printed by the time `isEnough` is true or it ended. */
async function start(dataDir: string, mode: string, isEnough: (output: string) => boolean) {
  const child = spawn(process.execPath, [program, dataDir, mode], { stdio: ['ignore', 'pipe', 'pipe'] })
  children.push(child)
  const printed = { out: '', err: '' }
  const enough = Promise.withResolvers<void>()
  child.stdout.on('data', (data: Buffer) => {
    printed.out += data
    if (isEnough(printed.out)) enough.resolve()
  })
  child.stderr.on('data', (data: Buffer) => {
    printed.err += data
  })
  const ended = new Promise<void>((resolve) => child.on('close', () => resolve()))
  await Promise.race([enough.promise, ended])
  return { child, printed, ended }
}

// PGlite only: the other engine looks after its files itself
describe.runIf(testEngine() === 'pglite')('the embedded database', () => {
  let templateDir: string
  let dataDir: string
  beforeAll(async () => {
    templateDir = await ensureTemplate(templateRoot)
    dataDir = join(await mkdtemp(join(tmpdir(), 'perdure-test-')), 'data')
  })
  afterEach(() => {
    for (const child of children.splice(0)) child.kill('SIGKILL')
  })
  afterAll(() => rm(join(dataDir, '..'), { recursive: true, force: true }))

  test('is for this user only, and syncs', async () => {
    await using db = await PgliteDb.open({ dataDir, templateDir })
    expect((await stat(dataDir)).mode & 0o777).toBe(0o700)
    expect((await stat(join(dataDir, 'database'))).mode & 0o777).toBe(0o700)
    const settings = statement(
      'test-settings',
      "select name, setting from pg_settings where name in ('fsync', 'wal_sync_method', 'synchronous_commit', 'full_page_writes')",
    )
    const rows = await db.query<{ name: string; setting: string }>(settings)
    expect(Object.fromEntries(rows.map((row) => [row.name, row.setting]))).toEqual({
      fsync: 'on',
      full_page_writes: 'on',
      synchronous_commit: 'on',
      wal_sync_method: 'fsync',
    })
  })

  test('refuses a second process and names the first, until that one is killed', async () => {
    const first = await start(dataDir, 'hold', (output) => output.includes('open'))
    expect(first.printed.out).toContain('open')
    const second = await start(dataDir, 'hold', () => false)
    expect(second.printed.err).toContain(
      `is in use by process ${first.child.pid}; stop it, or choose another PERDURE_DATA_DIR`,
    )
    await expect(PgliteDb.open({ dataDir })).rejects.toThrow(`is in use by process ${first.child.pid};`)
    first.child.kill('SIGKILL')
    await first.ended
    await using db = await PgliteDb.open({ dataDir })
    expect(await db.query(statement('test-one', 'select 1 as one'))).toEqual([{ one: 1 }])
  })

  test('refuses to be opened twice in one process', async () => {
    await using _db = await PgliteDb.open({ dataDir })
    await expect(PgliteDb.open({ dataDir })).rejects.toThrow(`is in use by process ${process.pid};`)
  })

  test('keeps every acknowledged row through kill -9', { timeout: 60_000 }, async () => {
    const read = statement('test-read-acknowledged', 'select id from acknowledged order by id')
    for (let round = 1; round <= 3; round += 1) {
      const linesWanted = 200 * round
      const { child, printed, ended } = await start(
        dataDir,
        'insert',
        (output) => output.split('\n').length > linesWanted,
      )
      child.kill('SIGKILL')
      await ended
      const acknowledged = printed.out.split('\n').slice(1, -1).map(Number)
      expect(acknowledged.length).toBeGreaterThan(linesWanted - 2)
      await using db = await PgliteDb.open({ dataDir })
      const stored = new Set((await db.query<{ id: number }>(read)).map((row) => row.id))
      expect(acknowledged.filter((id) => !stored.has(id))).toEqual([])
    }
  })

  test('a copy that was killed half-way leaves nothing that is taken for a database', async () => {
    const other = join(dataDir, '..', 'other')
    await mkdir(join(other, 'database.draft-1-00000000', 'base'), { recursive: true })
    await using db = await PgliteDb.open({ dataDir: other, templateDir })
    expect(await db.query(statement('test-one', 'select 1 as one'))).toEqual([{ one: 1 }])
    expect((await readdir(other)).sort()).toEqual(['database', 'database.lock'])
  })

  test('checkpoints, vacuums and analyzes by itself', async () => {
    const names: string[] = []
    await using db = await PgliteDb.open({
      dataDir: join(dataDir, '..', 'maintained'),
      templateDir,
      maintenance: { intervalMs: 50, checkpointAfterBytes: 1_000_000, checkpointAfterMs: 60_000, vacuumAfterMs: 200 },
      onStatement: (name) => names.push(name),
    })
    await db.execute('create table hot (id int primary key, body text) with (autovacuum_enabled = false)')
    const readState = statement(
      'test-read-state',
      `select (select s.last_vacuum is not null and s.last_analyze is not null from pg_stat_user_tables s where s.relname = 'hot') as vacuumed,
              (select c.checkpoint_lsn - '0/0'::pg_lsn from pg_control_checkpoint() c) as checkpoint_at`,
    )
    const before = await db.query<{ checkpoint_at: number }>(readState)
    await db.execute("insert into hot select n, repeat('x', 500) from generate_series(1, 3000) n")
    await db.execute('update hot set body = body')
    await expect.poll(() => db.query(readState), { timeout: 5000 }).toMatchObject([{ vacuumed: true }])
    const after = await db.query<{ checkpoint_at: number }>(readState)
    expect(after[0]?.checkpoint_at).toBeGreaterThan((before[0]?.checkpoint_at ?? 0) + 1_000_000)
    expect(new Set(names)).toEqual(new Set(['test-read-state']))
  })
})
