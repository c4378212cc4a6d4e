import { createServer } from 'node:net'
import { describe, expect, test } from 'vitest'
import { openTestDatabase, testEngine } from '../../test/support/test-database.ts'
import { isTransient } from './database-error.ts'
import { statement } from './db.ts'
import { PostgresDb } from './postgres.ts'

const endOthers = statement(
  'test-end-others',
  'select pg_terminate_backend(a.pid) from pg_stat_activity a where a.datname = current_database() and a.pid <> pg_backend_pid()',
)
const one = statement('test-one', 'select 1 as one')

test('a server that is not there is `unavailable`, soon', async () => {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  await using db = new PostgresDb({ url: `postgresql://nobody@127.0.0.1:${port}/nothing` })
  const error = await db.query(one).catch((caught: unknown) => caught)
  expect(error).toMatchObject({ kind: 'unavailable', options: { retryAfterSeconds: 1 } })
  expect(isTransient(error)).toBe(true)
})

describe.runIf(testEngine() === 'postgres')('PostgreSQL', () => {
  test('connections that were cut are replaced; a transaction in one of them fails as transient', async () => {
    await using db = await openTestDatabase({ poolSize: 4 })
    await Promise.all([1, 2, 3, 4].map(() => db.query(one)))
    const error = await db
      .transaction(async (tx) => {
        await tx.query(one)
        await db.query(endOthers)
        await tx.query(one)
      })
      .catch((caught: unknown) => caught)
    expect(isTransient(error)).toBe(true)
    const four = () => Promise.all([1, 2, 3, 4].map(() => db.query(one))).catch(() => 'cut')
    await expect.poll(four).toEqual(Array(4).fill([{ one: 1 }]))
  })

  test('LISTEN goes on after its connection was cut', async () => {
    await using db = await openTestDatabase()
    const heard: string[] = []
    await db.listen('news', (payload) => heard.push(payload))
    await db.query(endOthers)
    const notify = statement('test-notify', "select pg_notify('news', 'after')")
    await expect
      .poll(() => db.query(notify).then(() => heard.length), { timeout: 5000, interval: 50 })
      .toBeGreaterThan(0)
  })

  test('a statement over its limit ends on the server too', async () => {
    await using db = await openTestDatabase({ statementLimitMs: 200 })
    await expect(db.query(statement('test-sleep', 'select pg_sleep(20)'))).rejects.toThrow(/timeout/)
    const running = statement(
      'test-running',
      "select from pg_stat_activity a where a.datname = current_database() and a.state = 'active' and a.query like '%pg_sleep(2%' and a.pid <> pg_backend_pid()",
    )
    await expect.poll(() => db.query(running), { timeout: 3000 }).toEqual([])
  })

  test('a pool that is used up says so instead of waiting for ever', { timeout: 10_000 }, async () => {
    await using db = await openTestDatabase({ poolSize: 1 })
    const error = await db.transaction(async (tx) => {
      await tx.query(one)
      return db.query(one).catch((caught: unknown) => caught)
    })
    expect(error).toMatchObject({ kind: 'unavailable' })
  })
})
