import { afterEach, beforeEach, expect, test } from 'vitest'
import { createBatch } from '#agent/create-batch.ts'
import { stopBatch } from '#agent/stop-batch.ts'
import { createLogger } from '#platform/logger.ts'
import type { RunEngine } from '#runs/run-engine.ts'
import { findBatch } from '#store/batches/batch-reader.ts'
import { type Db, statement } from '#store/db.ts'
import { createScriptedAgent, createTestEngine, newRun, TEST_ACTOR } from '../../test/support/test-agent.ts'
import { openTestDatabase } from '../../test/support/test-database.ts'
import { BatchAdvancer } from './advance-batches.ts'

const { organizationId } = TEST_ACTOR
const logger = createLogger({ level: 'silent', format: 'json' })

let db: Db
beforeEach(async () => {
  db = await openTestDatabase()
})
afterEach(() => db[Symbol.asyncDispose]())

const advancerOf = (runs: Pick<RunEngine, 'start' | 'cancel'>) => new BatchAdvancer({ db, logger, runs, maxRuns: 4 })

/** A batch of as many requests, all to one agent. */
const makeBatch = (agentId: string, count: number) =>
  createBatch(
    db,
    TEST_ACTOR,
    Array.from({ length: count }, (_, index) => ({ ...newRun(agentId, `hello ${index}`), thread: { agentId } })),
    'https://example.org/done',
  )

const endClaims = statement('test-end-batch-claims', 'update batches set claimed_until = now()')
const countRuns = statement(
  'test-count-batch-runs',
  'select count(*) as runs, count(distinct metadata) as batches from runs',
)
const readOutbox = statement('test-read-outbox', 'select w.batch_id, w.run_id, w.status from webhook_deliveries as w')
const readStates = statement('test-read-item-states', 'select i.state from batch_items as i order by i.position')
const statusOf = async (id: string) => (await findBatch(db, organizationId, id))?.status

test('two processes that die now and then start each run once, and the end is told once', async () => {
  const { agentId, registry, requests, engine } = await createScriptedAgent(db, () => ({ text: 'Hi.' }))
  const other = createTestEngine(db, registry, 'process-2')
  const id = await makeBatch(agentId, 20)
  let deaths = 0
  /** Dies after every third start, before it can note it. */
  const dying = (runs: RunEngine): Pick<RunEngine, 'start' | 'cancel'> => {
    let starts = 0
    return {
      cancel: (...run) => runs.cancel(...run),
      async start(run, listener) {
        const started = await runs.start(run, listener)
        starts += 1
        if (starts % 3 !== 0) return started
        deaths += 1
        throw new Error('kill -9')
      },
    }
  }
  const advancers = [advancerOf(dying(engine)), advancerOf(dying(other))]
  const round = async () => {
    await Promise.all(advancers.map((advancer) => advancer.advanceAll()))
    await Promise.all([engine.idle(), other.idle()])
    await db.query(endClaims)
    return statusOf(id)
  }
  await expect.poll(round, { timeout: 15_000, interval: 1 }).toBe('completed')
  expect(deaths).toBeGreaterThan(0)
  expect(await db.query(countRuns)).toEqual([{ runs: 20, batches: 1 }])
  expect(requests).toHaveLength(20)
  expect(new Set((await db.query<{ state: string }>(readStates)).map(({ state }) => state))).toEqual(
    new Set(['completed']),
  )
  expect(await db.query(readOutbox)).toEqual([{ batch_id: id, run_id: null, status: 'completed' }])
  await Promise.all([engine[Symbol.asyncDispose](), other[Symbol.asyncDispose]()])
})

test('a run that starts while its batch is being cancelled is cancelled too', async () => {
  const { agentId, requests, engine } = await createScriptedAgent(db, () => ({ text: 'Hi.', delayMs: 60_000 }))
  const id = await makeBatch(agentId, 3)
  const batch = { organization_id: organizationId, id }
  let cancelledAt = 0
  const advancer = advancerOf({
    cancel: (...run) => engine.cancel(...run),
    async start(run, listener) {
      // between the look for what waits and the start
      cancelledAt = Date.now()
      await stopBatch(db, engine, batch)
      return engine.start(run, listener)
    },
  })
  await advancer.advanceAll()
  expect(cancelledAt).toBeGreaterThan(0)
  await engine.idle()
  await db.query(endClaims)
  await advancer.advanceAll()
  expect(await statusOf(id)).toBe('cancelled')
  expect(await db.query(readStates)).toEqual([{ state: 'cancelled' }, { state: 'cancelled' }, { state: 'cancelled' }])
  expect(requests.length).toBeLessThanOrEqual(1)
  await engine[Symbol.asyncDispose]()
}, 15_000)
