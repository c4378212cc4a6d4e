import { expect, it } from 'vitest'
import { type Db, statement } from '#store/db.ts'
import { faultyDb } from '../../test/support/faulty-db.ts'
import { scriptedModel } from '../../test/support/scripted-model.ts'
import { createTestAgent, createTestEngine, newRun, storedMessages } from '../../test/support/test-agent.ts'
import { openTestDatabase } from '../../test/support/test-database.ts'

const expire = statement('test-expire-run', `update runs set lease_expires_at = '-infinity' where id = $1`)

it('works once on a run that a late look around takes over from its own process', async () => {
  await using db: Db = await openTestDatabase()
  let gate: Promise<void> | undefined
  let looks = 0
  const slow = faultyDb(db, async ({ name }) => {
    if (name === 'take-over-runs') {
      looks += 1
      await gate
    }
    return { kind: 'none' }
  })
  const signals: AbortSignal[] = []
  const answer = Promise.withResolvers<void>()
  const { registry } = scriptedModel(async (request) => {
    signals.push(request.signal)
    if (signals.length > 1) await answer.promise
    return { text: 'Hi.', ...(signals.length === 1 ? { delayMs: 60_000 } : {}) }
  })
  const agentId = await createTestAgent(db, registry)
  await using engine = createTestEngine(slow, registry, 'process-1', 60_000)
  const { promise, resolve } = Promise.withResolvers<void>()
  gate = promise
  const opened = engine.open()
  await expect.poll(() => looks).toBe(1)
  // the look waits for the database, and knows of no run of ours
  const run = newRun(agentId, 'Hello')
  const events: string[] = []
  await engine.start(run, (event) => events.push(event.type))
  await expect.poll(() => signals.length, { timeout: 5000 }).toBe(1)
  await db.query(expire, [run.runId])
  gate = undefined
  resolve()
  await opened
  await expect.poll(() => signals.length, { timeout: 5000 }).toBe(2)
  expect(signals[0]?.reason).toBe('lease-lost')
  // the first has gone, and the second is still known to be worked on
  await new Promise((done) => setTimeout(done, 100))
  expect(engine.activeCount).toBe(1)
  answer.resolve()
  await engine.idle()
  expect((await storedMessages(db, agentId)).map(({ role }) => role)).toEqual(['system', 'user', 'assistant'])
  await expect.poll(() => events.filter((type) => type === 'run-end').length).toBe(1)
  expect(events.filter((type) => type === 'message')).toHaveLength(1)
})
