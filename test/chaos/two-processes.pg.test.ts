import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { DEFAULT_ORGANIZATION_ID } from '#platform/ids.ts'
import type { RunEngine } from '#runs/run-engine.ts'
import type { RunEvent } from '#runs/run-events.ts'
import { type Db, statement } from '#store/db.ts'
import { openDatabase } from '#store/open-database.ts'
import { ensurePartitions } from '#store/partitions.ts'
import { findBrokenInvariants } from '../support/database-state.ts'
import { faultyDb } from '../support/faulty-db.ts'
import { lastUserText, type Script, scriptedModel } from '../support/scripted-model.ts'
import { createTestAgent, createTestEngine, newRun, readBlock, say, storedMessages } from '../support/test-agent.ts'
import { createPostgresDatabase, testEngine } from '../support/test-database.ts'

const LEASE_MS = 1200
const insert = (text: string) => ({ name: 'memory_insert', arguments: { label: 'human', new_string: text } })

/** Two run engines that share nothing but the database. On PGlite one process owns the database: nothing to test. */
describe.skipIf(testEngine() === 'pglite')('two processes on one PostgreSQL database', () => {
  let database: Awaited<ReturnType<typeof createPostgresDatabase>>
  let db: Db
  let dbOfA: Db
  let dbOfB: Db
  let frozen: Promise<void> | undefined
  const engines: RunEngine[] = []

  beforeEach(async () => {
    database = await createPostgresDatabase()
    const open = () => openDatabase({ kind: 'postgres', url: database.url, poolSize: 8 })
    db = await open()
    dbOfA = await open()
    dbOfB = await open()
    await ensurePartitions(db, new Date())
    frozen = undefined
  })

  afterEach(async () => {
    for (const engine of engines.splice(0)) await engine[Symbol.asyncDispose]()
    const broken = await findBrokenInvariants(db)
    for (const each of [db, dbOfA, dbOfB]) await each[Symbol.asyncDispose]()
    await database.remove()
    expect(broken).toEqual([])
  })

  async function start(owner: 'a' | 'b', script: Script): Promise<RunEngine> {
    const own =
      owner === 'b'
        ? dbOfB
        : faultyDb(dbOfA, async () => {
            await frozen
            return { kind: 'none' }
          })
    const engine = createTestEngine(own, scriptedModel(script).registry, owner, LEASE_MS)
    engines.push(engine)
    await engine.open()
    return engine
  }

  const newAgent = () => createTestAgent(db, scriptedModel(() => ({})).registry)
  const texts = async (agentId: string) =>
    (await storedMessages(db, agentId))
      .slice(1)
      .map(({ role, content }) => `${role}: ${content.map((part) => (part.type === 'text' ? part.text : '')).join('')}`)
  /** Starts a run, and gives what its listener hears. */
  async function startRun(engine: RunEngine, agentId: string, text: string) {
    const run = newRun(agentId, text)
    const events: RunEvent[] = []
    const end = Promise.withResolvers<Extract<RunEvent, { type: 'run-end' }>>()
    await engine.start(run, (event) => {
      events.push(event)
      if (event.type === 'run-end') end.resolve(event)
    })
    return { runId: run.runId, events, end: end.promise }
  }

  it('messages sent through both at once are answered once each, in order of acceptance, not interleaved', async () => {
    const script: Script = (request) => ({ text: `re ${lastUserText(request)}` })
    const [a, b, agentId] = [await start('a', script), await start('b', script), await newAgent()]
    const all = await Promise.all(
      Array.from({ length: 40 }, (_, index) => say(index % 2 === 0 ? a : b, agentId, `m${index}`)),
    )
    expect(all.map((said) => said.end.stopReason)).toEqual(Array(40).fill('end_turn'))
    for (const [index, said] of all.entries()) {
      expect(said.messages.map((message) => message.content)).toEqual([[{ type: 'text', text: `re m${index}` }]])
    }
    const order = await db.query<{ id: string }>(
      statement('test-queue-order', 'select r.id from runs as r where r.agent_id = $1 order by r.queue_seq'),
      [agentId],
    )
    const stored = (await storedMessages(db, agentId)).slice(1)
    expect(stored.map((message) => message.run_id)).toEqual(order.flatMap(({ id }) => [id, id]))
    expect(stored.map((message) => message.role)).toEqual(order.flatMap(() => ['user', 'assistant']))
  })

  it('who waits at B hears of a run that A executed', async () => {
    const a = await start('a', () => ({ text: 'From A.', delayMs: 1500 }))
    const b = await start('b', () => ({ text: 'From B.' }))
    const agentId = await newAgent()
    await startRun(a, agentId, 'one')
    // a run of A in the middle of which B accepts the next: whoever ends the first claims the second
    const second = await startRun(b, agentId, 'two')
    expect((await second.end).stopReason).toBe('end_turn')
    expect(second.events.filter((event) => event.type === 'message')).toHaveLength(1)
    expect(await texts(agentId)).toEqual(['user: one', 'assistant: From A.', 'user: two', 'assistant: From A.'])
  })

  it('B cancels a run of A within a heartbeat', async () => {
    const a = await start('a', () => ({ text: 'Late.', delayMs: 60_000 }))
    const b = await start('b', () => ({ text: 'From B.' }))
    const agentId = await newAgent()
    const run = await startRun(a, agentId, 'slow')
    const asked = performance.now()
    expect(await b.cancel(DEFAULT_ORGANIZATION_ID, run.runId)).toBe(true)
    expect((await run.end).stopReason).toBe('cancelled')
    expect(performance.now() - asked).toBeLessThan(LEASE_MS / 4 + 500)
    expect((await say(b, agentId, 'next')).end.stopReason).toBe('end_turn')
  })

  it('B takes over when A stops renewing, and what A commits late changes nothing', async () => {
    const thaw = Promise.withResolvers<void>()
    const a = await start('a', (_request, index) => {
      if (index === 0) return { toolCalls: [insert('by A')] }
      // the process is stopped while the model answers: nothing of it reaches the database any more
      frozen = thaw.promise
      return { text: 'From A, late.' }
    })
    const agentId = await newAgent()
    const run = await startRun(a, agentId, 'hello')
    const b = await start('b', () => ({ text: 'From B.' }))
    const expected = ['user: hello', 'assistant: ', 'tool: ', 'assistant: From B.']
    await expect.poll(() => texts(agentId), { timeout: LEASE_MS + 4000 }).toEqual(expected)
    thaw.resolve()
    frozen = undefined
    expect((await run.end).stopReason).toBe('end_turn')
    await a.idle()
    expect(await texts(agentId)).toEqual(expected)
    expect(await readBlock(db, agentId, 'human')).toEqual({ value: 'by A', version: 2 })
    expect((await say(b, agentId, 'next')).end.stopReason).toBe('end_turn')
  })

  it('B goes on at once when A hands over in the middle of a turn', async () => {
    const a = await start('a', (_request, index) =>
      index === 0 ? { toolCalls: [insert('by A')] } : { text: 'Never.', delayMs: 60_000 },
    )
    const agentId = await newAgent()
    await startRun(a, agentId, 'hello')
    await expect.poll(() => texts(agentId)).toHaveLength(3)
    await a[Symbol.asyncDispose]()
    const handedOver = performance.now()
    await start('b', () => ({ text: 'From B.' }))
    await expect.poll(async () => (await texts(agentId)).at(-1)).toBe('assistant: From B.')
    expect(performance.now() - handedOver).toBeLessThan(LEASE_MS)
    expect(await readBlock(db, agentId, 'human')).toEqual({ value: 'by A', version: 2 })
  })

  it('40 runs of a process that hands over are all taken over with one look', async () => {
    const a = await start('a', () => ({ text: 'Never.', delayMs: 60_000 }))
    const agents = await Promise.all(Array.from({ length: 40 }, newAgent))
    for (const agentId of agents) await startRun(a, agentId, 'hello')
    await a[Symbol.asyncDispose]()
    const b = await start('b', () => ({ text: 'From B.' }))
    await b.idle()
    for (const agentId of agents) expect(await texts(agentId)).toEqual(['user: hello', 'assistant: From B.'])
  })

  it('a commit that has to wait does not cost the other runs of the process their leases', async () => {
    const a = await start('a', () => ({ text: 'From A.', delayMs: 3 * LEASE_MS }))
    const [stuck, other] = [await newAgent(), await newAgent()]
    const stuckRun = await startRun(a, stuck, 'hello')
    const run = await startRun(a, other, 'hello')
    const lockRun = statement('test-lock-run', 'select from runs as r where r.id = $1 for update')
    await db.transaction(async (tx) => {
      await tx.query(lockRun, [stuckRun.runId])
      await start('b', () => ({ text: 'From B.' }))
      await sleep(2.5 * LEASE_MS)
    })
    expect((await run.end).stopReason).toBe('end_turn')
    expect(await texts(other)).toEqual(['user: hello', 'assistant: From A.'])
    expect((await stuckRun.end).stopReason).toBe('end_turn')
  })

  it('a cancellation that waits for the thread does not wait for a run that started meanwhile', async () => {
    const a = await start('a', () => ({ text: 'From A.', delayMs: 800 }))
    const agentId = await newAgent()
    const first = await startRun(a, agentId, 'one')
    const second = await startRun(a, agentId, 'two')
    const lockThread = statement(
      'test-lock-thread',
      'select c.id from conversations as c where c.agent_id = $1 for update',
    )
    const lockRun = statement('test-lock-run', 'select from runs as r where r.id = $1 for update')
    let cancelled: Promise<boolean> | undefined
    await db.transaction(async (ofRun) => {
      await db.transaction(async (ofThread) => {
        await ofThread.query(lockThread, [agentId])
        cancelled = a.cancel(DEFAULT_ORGANIZATION_ID, second.runId)
        await sleep(200)
        // as the commit of a run that has just been claimed: it has its row already when the cancellation gets the thread
        await ofRun.query(lockRun, [second.runId])
      })
      await sleep(100)
      await ofRun.query(lockThread, [agentId])
    })
    expect(await cancelled).toBe(true)
    expect((await first.end).stopReason).toBe('end_turn')
    expect((await second.end).stopReason).toBe('cancelled')
  })

  it('cancelling queued runs while others are claimed is no deadlock', async () => {
    const script: Script = () => ({ text: 'Yes.' })
    const [a, b, agentId] = [await start('a', script), await start('b', script), await newAgent()]
    for (let round = 0; round < 5; round += 1) {
      const runs = await Promise.all(
        Array.from({ length: 20 }, (_, index) => startRun(index % 2 === 0 ? a : b, agentId, `m${index}`)),
      )
      await Promise.all(runs.map(({ runId }) => b.cancel(DEFAULT_ORGANIZATION_ID, runId)))
      const ends = await Promise.all(runs.map((run) => run.end))
      for (const end of ends) expect(['end_turn', 'cancelled']).toContain(end.stopReason)
    }
  })
})
