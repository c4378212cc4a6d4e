import { afterAll, beforeAll, expect, it } from 'vitest'
import { systemClock } from '#platform/clock.ts'
import { DEFAULT_ORGANIZATION_ID } from '#platform/ids.ts'
import { createLogger } from '#platform/logger.ts'
import { type Db, type Statement, statement } from '#store/db.ts'
import { appendRunEvents } from '#store/run-events/append-run-events.ts'
import { requestCancel } from '#store/runs/cancel-run.ts'
import { takeOverRuns } from '#store/runs/claim-run.ts'
import { insertRun } from '#store/runs/start-run.ts'
import { faultyDb } from '../../test/support/faulty-db.ts'
import { scriptedModel } from '../../test/support/scripted-model.ts'
import { createTestAgent, newRun } from '../../test/support/test-agent.ts'
import { openTestDatabase } from '../../test/support/test-database.ts'
import { END_OF_QUEUED_RUN, encodeEvents } from './encode-events.ts'
import { StreamLog } from './stream-log.ts'

let db: Db
beforeAll(async () => {
  db = await openTestDatabase()
})
afterAll(() => db[Symbol.asyncDispose]())

const logger = createLogger({ level: 'silent', format: 'json' })
const limits = { retentionMs: 60_000, maxBytesPerRun: 1_000_000 }
const registry = () => scriptedModel(() => ({ text: 'Hi.' })).registry

/** A database whose reads of logs are counted, and whose answers to them wait for the gate. */
function gatedReads(): { gated: Db; state: { reads: number; gate: Promise<void> | undefined } } {
  const state: { reads: number; gate: Promise<void> | undefined } = { reads: 0, gate: undefined }
  const gated: Db = {
    ...faultyDb(db, () => ({ kind: 'none' })),
    async query<Row>(statement: Statement, params?: readonly unknown[]): Promise<Row[]> {
      const rows = await db.query<Row>(statement, params)
      if (statement.name === 'list-run-events') {
        state.reads += 1
        await state.gate
      }
      return rows
    },
  }
  return { gated, state }
}

it('does not forget a follower of a run that began and left while it was polled for', async () => {
  const organizationId = DEFAULT_ORGANIZATION_ID
  const run = newRun(await createTestAgent(db, registry()), 'waits')
  await insertRun(db, run, { owner: 'somebody', leaseMs: 4000 }, false)
  const { runId } = run
  const { gated, state } = gatedReads()
  await using streams = new StreamLog({ db: gated, logger, clock: systemClock, ...limits })
  const told: string[] = []
  streams.follow({ organizationId, runId, after: 0, listener: (event) => told.push(event.type) })
  await expect.poll(() => state.reads).toBe(1)
  // it is left to the polls now; one of them is slow
  const { promise, resolve } = Promise.withResolvers<void>()
  state.gate = promise
  await expect
    .poll(() => {
      streams.hear('events', [runId])
      return state.reads
    })
    .toBe(2)
  streams.close(streams.begin({ organizationId, runId, token: 1 }))
  state.gate = undefined
  resolve()
  await requestCancel(db, organizationId, runId, END_OF_QUEUED_RUN)
  await expect
    .poll(() => {
      streams.hear('events', [runId])
      return told
    })
    .toEqual(['run-end'])
})

it('tells what a former owner stored last, although the run was taken over while it was read', async () => {
  const organizationId = DEFAULT_ORGANIZATION_ID
  const run = newRun(await createTestAgent(db, registry()), 'runs elsewhere')
  await insertRun(db, run, { owner: 'former', leaseMs: 60_000 }, true)
  const { runId } = run
  const { gated, state } = gatedReads()
  await using streams = new StreamLog({ db: gated, logger, clock: systemClock, ...limits })
  const { promise, resolve } = Promise.withResolvers<void>()
  state.gate = promise
  const told: number[] = []
  streams.follow({ organizationId, runId, after: 0, listener: (_event, seq) => told.push(seq) })
  await expect.poll(() => state.reads).toBe(1)
  // nothing was there to be read; then the former owner writes, and loses the run to this process
  const event = { type: 'text-delta', messageId: 'message-1', stepId: 'step-1', part: 0, text: 'Hi' } as const
  const batch = encodeEvents([{ seq: 1, event }])
  await appendRunEvents(db, [{ lease: { organizationId, runId, token: 1 }, batch }])
  await db.query(expire, [runId])
  await takeOverRuns(db, { owner: 'here', leaseMs: 60_000 }, [], 16)
  const log = streams.begin({ organizationId, runId, token: 2 })
  log.append(event)
  state.gate = undefined
  resolve()
  await expect.poll(() => told).toEqual([1, log.lastSeq])
  streams.close(log)
  await db.query(forget, [runId])
})

const expire = statement('test-expire-lease', `update runs set lease_expires_at = '-infinity' where id = $1`)
const forget = statement('test-end-run', `update runs set status = 'failed' where id = $1`)
