import { afterAll, beforeAll, expect, it } from 'vitest'
import { systemClock } from '#platform/clock.ts'
import { DEFAULT_ORGANIZATION_ID } from '#platform/ids.ts'
import { createLogger } from '#platform/logger.ts'
import type { Db, Statement } from '#store/db.ts'
import { requestCancel } from '#store/runs/cancel-run.ts'
import { insertRun } from '#store/runs/start-run.ts'
import { faultyDb } from '../../test/support/faulty-db.ts'
import { scriptedModel } from '../../test/support/scripted-model.ts'
import { createTestAgent, newRun } from '../../test/support/test-agent.ts'
import { openTestDatabase } from '../../test/support/test-database.ts'
import { END_OF_QUEUED_RUN } from './encode-events.ts'
import { StreamLog } from './stream-log.ts'

let db: Db
beforeAll(async () => {
  db = await openTestDatabase()
})
afterAll(() => db[Symbol.asyncDispose]())

it('does not forget a follower of a run that began and left while it was polled for', async () => {
  const organizationId = DEFAULT_ORGANIZATION_ID
  const run = newRun(await createTestAgent(db, scriptedModel(() => ({ text: 'Hi.' })).registry), 'waits')
  await insertRun(db, run, { owner: 'somebody', leaseMs: 4000 }, false)
  const { runId } = run
  let reads = 0
  let gate: Promise<void> | undefined
  const gated: Db = {
    ...faultyDb(db, () => ({ kind: 'none' })),
    async query<Row>(statement: Statement, params?: readonly unknown[]): Promise<Row[]> {
      const rows = await db.query<Row>(statement, params)
      if (statement.name === 'list-run-events') {
        reads += 1
        await gate
      }
      return rows
    },
  }
  const logger = createLogger({ level: 'silent', format: 'json' })
  const limits = { retentionMs: 60_000, maxBytesPerRun: 1_000_000 }
  await using streams = new StreamLog({ db: gated, logger, clock: systemClock, ...limits })
  const told: string[] = []
  streams.follow({ organizationId, runId, after: 0, listener: (event) => told.push(event.type) })
  await expect.poll(() => reads).toBe(1)
  // it is left to the polls now; one of them is slow
  const { promise, resolve } = Promise.withResolvers<void>()
  gate = promise
  await expect
    .poll(() => {
      streams.hear('events', [runId])
      return reads
    })
    .toBe(2)
  streams.close(streams.begin({ organizationId, runId, token: 1 }))
  gate = undefined
  resolve()
  await requestCancel(db, organizationId, runId, END_OF_QUEUED_RUN)
  await expect
    .poll(() => {
      streams.hear('events', [runId])
      return told
    })
    .toEqual(['run-end'])
})
