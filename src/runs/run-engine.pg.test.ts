import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { removeAgent } from '#agent/remove-agent.ts'
import { resetThread } from '#agent/reset-thread.ts'
import type { ModelEvent } from '#llm/model.ts'
import { DEFAULT_ORGANIZATION_ID } from '#platform/ids.ts'
import { type Db, statement } from '#store/db.ts'
import { faultyDb } from '../../test/support/faulty-db.ts'
import { type Script, scriptedModel } from '../../test/support/scripted-model.ts'
import {
  createScriptedAgent,
  createTestAgent,
  createTestEngine,
  newRun,
  readBlock,
  say,
  storedMessages,
} from '../../test/support/test-agent.ts'
import { openTestDatabase, testEngine } from '../../test/support/test-database.ts'
import { testModelRegistry } from '../../test/support/test-models.ts'

let db: Db
beforeAll(async () => {
  db = await openTestDatabase()
})
afterAll(() => db[Symbol.asyncDispose]())

const setUp = (script: Script, input = {}) => createScriptedAgent(db, script, input)

describe('a run engine', () => {
  it('goes on when a listener throws', async () => {
    const { agentId, engine } = await setUp(() => ({ text: 'Hi.' }))
    await engine.start(newRun(agentId, 'one'), () => {
      throw new Error('socket closed')
    })
    await engine.idle()
    expect((await storedMessages(db, agentId)).map((message) => message.role)).toEqual(['system', 'user', 'assistant'])
  })

  it('asks for all runs that are followed and wait with one statement, not one for each', async () => {
    let reads = 0
    const counting = faultyDb(db, ({ name }) => {
      if (name === 'list-run-events') reads += 1
      return { kind: 'none' }
    })
    const { registry } = scriptedModel(() => ({ text: 'Hi.', delayMs: 60_000 }))
    const agentId = await createTestAgent(db, registry)
    await using engine = createTestEngine(counting, registry)
    for (let index = 0; index < 20; index += 1) await engine.start(newRun(agentId, `m${index}`), () => {})
    await engine.open()
    // each looked once when it began to follow
    await expect.poll(() => reads, { timeout: 5000 }).toBeGreaterThan(20)
    const before = reads
    await new Promise((resolve) => setTimeout(resolve, 2000))
    expect(reads - before).toBeLessThanOrEqual(8)
    await removeAgent(db, DEFAULT_ORGANIZATION_ID, agentId)
  })

  it('keeps its leases although one heartbeat never comes back', async () => {
    let beats = 0
    const stuck = faultyDb(db, ({ name }) => {
      if (name !== 'renew-leases') return { kind: 'none' }
      beats += 1
      return { kind: 'none', ...(beats === 1 ? { delayMs: 60_000 } : {}) }
    })
    const { registry } = scriptedModel(() => ({ text: 'Hi.', delayMs: 3500 }))
    const agentId = await createTestAgent(db, registry)
    await using engine = createTestEngine(stuck, registry, 'stuck', 1000)
    await engine.open()
    const run = newRun(agentId, 'one')
    await engine.start(run)
    await new Promise((resolve) => setTimeout(resolve, 2500))
    const [row] = await db.query<{ is_held: boolean }>(
      statement('test-lease', 'select lease_expires_at > now() as is_held from runs where id = $1'),
      [run.runId],
    )
    expect(row?.is_held).toBe(true)
    expect(beats).toBeGreaterThan(2)
    await engine.idle()
  })

  it('a run accepted while the engine stops is handed over, not worked on', async () => {
    const { agentId, engine, requests } = await setUp(() => ({ text: 'Hi.' }))
    await engine[Symbol.asyncDispose]()
    await engine.start(newRun(agentId, 'late'))
    await engine.idle()
    expect(requests).toHaveLength(0)
    await removeAgent(db, DEFAULT_ORGANIZATION_ID, agentId)
  })

  it('tells who waits for runs of a deleted agent, running and queued, and leaves nothing behind', async () => {
    const { agentId, engine } = await setUp(() => ({ text: 'Late.', delayMs: 60_000 }))
    await engine.open()
    const ends: string[] = []
    for (const text of ['running', 'queued']) {
      await engine.start(newRun(agentId, text), (event) => {
        if (event.type === 'run-end') ends.push(event.error?.message ?? 'no error')
      })
    }
    await removeAgent(db, DEFAULT_ORGANIZATION_ID, agentId)
    await expect.poll(() => ends, { timeout: 5000 }).toEqual(Array(2).fill('The agent was deleted.'))
    await engine.idle()
    expect(engine.listenedCount).toBe(0)
    expect(await storedMessages(db, agentId)).toEqual([])
    await engine[Symbol.asyncDispose]()
  })

  it.runIf(testEngine() === 'postgres')('deleting agents at the moment their runs end is no deadlock', async () => {
    const { registry } = scriptedModel(() => ({ toolCalls: [], text: 'Hi.' }))
    const engine = createTestEngine(db, registry)
    for (let round = 0; round < 40; round += 1) {
      const agentId = await createTestAgent(db, registry)
      await engine.start(newRun(agentId, 'hello'))
      await new Promise((resolve) => setTimeout(resolve, round % 10))
      await removeAgent(db, DEFAULT_ORGANIZATION_ID, agentId)
    }
    await engine.idle()
  })
})

describe('faults', () => {
  it('a model that fails as no model should ends its run once, and the agent goes on', async () => {
    let calls = 0
    const registry = testModelRegistry(async function* (): AsyncGenerator<ModelEvent> {
      calls += 1
      yield* []
      throw new TypeError('x is not a function')
    })
    const agentId = await createTestAgent(db, registry)
    const engine = createTestEngine(db, registry)
    const said = await say(engine, agentId, 'Hello')
    expect(said.end).toMatchObject({ stopReason: 'error', error: { type: 'internal_error' } })
    expect(calls).toBe(1)
    const healthy = createTestEngine(db, scriptedModel(() => ({ text: 'Hi.' })).registry)
    expect((await say(healthy, agentId, 'Again')).end.stopReason).toBe('end_turn')
  })

  it('a change that the database cannot store is told to the model', async () => {
    const noise = Array.from({ length: 20_000 }, (_, index) =>
      String.fromCodePoint(0x4e00 + ((index * 7919) % 20_000)),
    ).join('')
    const { agentId, engine } = await setUp(
      (_request, index) =>
        index === 0
          ? {
              toolCalls: [
                { name: 'archival_memory_insert', arguments: { content: 'a fact', tags: [noise] } },
                {
                  name: 'memory',
                  arguments: { command: 'create', path: `/memories/${noise}`, description: 'd', file_text: 'x' },
                },
                { name: 'memory_insert', arguments: { label: 'human', new_string: 'kept' } },
              ],
            }
          : { text: 'I see.' },
      { tools: ['archival_memory_insert', 'memory'] },
    )
    const said = await say(engine, agentId, 'Go')
    expect(said.end).toMatchObject({ stopReason: 'end_turn', stepCount: 2 })
    const results = said.messages.find((message) => message.role === 'tool')?.tool_returns ?? []
    expect(results.map((result) => result.status)).toEqual(['error', 'error', 'success'])
    expect((await readBlock(db, agentId, 'human'))?.value).toBe('kept')
  })

  it('a tool that reads is repeated while the database is away', async () => {
    let failures = 0
    const away = faultyDb(db, ({ name }) => ({
      kind: name.startsWith('rank-messages') && failures++ < 2 ? 'before' : 'none',
    }))
    const { registry } = scriptedModel((_request, index) =>
      index === 0 ? { toolCalls: [{ name: 'conversation_search', arguments: { query: 'hello' } }] } : { text: 'Done.' },
    )
    const agentId = await createTestAgent(db, registry)
    const said = await say(createTestEngine(away, registry), agentId, 'hello')
    expect(failures).toBeGreaterThan(2)
    expect(said.messages.find((message) => message.role === 'tool')?.tool_returns?.[0]?.status).toBe('success')
  })

  it('calls with one id, or none, get ids of their own', async () => {
    const call = { name: 'memory_insert', arguments: { label: 'human', new_string: 'x' } }
    const { agentId, engine } = await setUp((_request, index) =>
      index < 2
        ? {
            toolCalls: [
              { ...call, id: 'call_0' },
              { ...call, id: 'call_0' },
              { ...call, id: '' },
            ],
          }
        : { text: 'Ok.' },
    )
    const said = await say(engine, agentId, 'Go')
    expect(said.end.stopReason).toBe('end_turn')
    const calls = said.messages.flatMap((message) => message.tool_calls ?? []).map((each) => each.tool_call_id)
    expect(new Set(calls).size).toBe(6)
    expect(calls).not.toContain('')
    const results = said.messages.flatMap((message) => message.tool_returns ?? []).map((each) => each.tool_call_id)
    expect(results).toEqual(calls)
  })

  it('a run whose model is gone when it is taken over keeps what it has used', async () => {
    const { agentId, registry } = await setUp((_request, index) =>
      index === 0
        ? { toolCalls: [{ name: 'conversation_search', arguments: { query: 'x' } }] }
        : { text: 'Never.', delayMs: 60_000 },
    )
    const first = createTestEngine(db, registry, 'first')
    const run = newRun(agentId, 'Go')
    await first.start(run)
    await expect.poll(async () => (await storedMessages(db, agentId)).length, { timeout: 5000 }).toBe(4)
    await first[Symbol.asyncDispose]()
    const second = createTestEngine(db, testModelRegistry(undefined, []), 'second')
    await second.open()
    await second.idle()
    await second[Symbol.asyncDispose]()
    const [row] = await db.query<{ status: string; usage: { total_tokens: number } }>(
      statement('test-usage', 'select status, usage from runs where id = $1'),
      [run.runId],
    )
    expect(row).toMatchObject({ status: 'failed', usage: { total_tokens: 110 } })
  })

  it.runIf(testEngine() === 'postgres')('a reset that waits for the end of a run forgets its answer too', async () => {
    const { agentId, registry, engine } = await setUp(() => ({ text: 'Hi.' }))
    await say(engine, agentId, 'hello')
    const end = statement(
      'test-late-message',
      `with c as (update conversations set message_count = message_count + 1 where agent_id = $1 returning organization_id, id)
       insert into messages (organization_id, id, agent_id, conversation_id, role)
       select organization_id, 'message-' || gen_random_uuid(), $1, id, 'assistant' from c`,
    )
    let reset: Promise<void> | undefined
    await db.transaction(async (tx) => {
      await tx.query(end, [agentId])
      reset = resetThread(db, registry, DEFAULT_ORGANIZATION_ID, agentId)
      await new Promise((resolve) => setTimeout(resolve, 200))
    })
    await reset
    expect((await storedMessages(db, agentId)).map((message) => message.role)).toEqual(['system'])
  })
})
