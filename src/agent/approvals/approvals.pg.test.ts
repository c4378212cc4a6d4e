import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createRunLoop } from '#agent/run-loop.ts'
import { denyOverdueApprovals } from '#jobs/deny-overdue-approvals.ts'
import type { ModelRegistry } from '#llm/model.ts'
import { DEFAULT_ORGANIZATION_ID, newOrderedId } from '#platform/ids.ts'
import { createLogger } from '#platform/logger.ts'
import { RunEngine } from '#runs/run-engine.ts'
import type { RunEvent } from '#runs/run-events.ts'
import { listOverdueApprovals } from '#store/conversations/pending-approvals.ts'
import { type Db, statement } from '#store/db.ts'
import type { RunAnswer } from '#store/runs/run-row.ts'
import { findBuiltinTool } from '#tools/registry.ts'
import type { BuiltinTool } from '#tools/tool.ts'
import { type Script, scriptedModel } from '../../../test/support/scripted-model.ts'
import {
  createTestAgent,
  createTestEngine,
  newRun,
  readBlock,
  say,
  storedMessages,
} from '../../../test/support/test-agent.ts'
import { openTestDatabase } from '../../../test/support/test-database.ts'

let db: Db
beforeAll(async () => {
  db = await openTestDatabase()
})
afterAll(() => db[Symbol.asyncDispose]())

const logger = createLogger({ level: 'silent', format: 'json' })
const insert = (id: string, text: string) => ({
  id,
  name: 'memory_insert',
  arguments: { label: 'human', new_string: text },
})
const TWO_CALLS: Script = (_request, index) =>
  index === 0 ? { toolCalls: [insert('a', 'one'), insert('b', 'two')] } : { text: 'Done.' }
const RULES = { tool_rules: [{ type: 'requires_approval', tool_name: 'memory_insert' }] }

const answering = (answer: Partial<RunAnswer>): { answer: RunAnswer } => ({
  answer: { messageId: newOrderedId('message'), otid: null, approvals: null, messages: [], ...answer },
})
const APPROVE = { blanket: { requestId: null, approve: true, reason: null } }

/** Sends an answer and waits for the end. */
async function answer(engine: RunEngine, agentId: string, given: Partial<RunAnswer> = APPROVE) {
  const ended = Promise.withResolvers<Extract<RunEvent, { type: 'run-end' }>>()
  const run = { ...newRun(agentId, '', answering(given)), input: [] }
  await engine.start(run, (event) => {
    if (event.type === 'run-end') ended.resolve(event)
  })
  return ended.promise
}

function engineWith(
  models: ModelRegistry,
  owner: string,
  findTool: (name: string) => BuiltinTool | undefined,
): RunEngine {
  const execute = createRunLoop({ db, models, logger, maxContextWindow: 128_000, findTool })
  return new RunEngine({ db, logger, owner, execute })
}

const pendingOf = statement('test-pending', 'select pending_approval_id from conversations where agent_id = $1')
const isPending = async (agentId: string) =>
  (await db.query<{ pending_approval_id: string | null }>(pendingOf, [agentId]))[0]?.pending_approval_id !== null

describe('a request that waits', () => {
  it('outlives the process that made it, and is answered at another one', async () => {
    const { registry } = scriptedModel(TWO_CALLS)
    const agentId = await createTestAgent(db, registry, RULES)
    const first = createTestEngine(db, registry, 'first')
    expect((await say(first, agentId, 'Go')).end.stopReason).toBe('requires_approval')
    await first[Symbol.asyncDispose]()
    expect(await isPending(agentId)).toBe(true)
    const second = createTestEngine(db, registry, 'second')
    expect(await answer(second, agentId)).toMatchObject({ stopReason: 'end_turn', error: null })
    expect(await readBlock(db, agentId, 'human')).toMatchObject({ value: 'one\ntwo' })
    expect(await isPending(agentId)).toBe(false)
  })

  it('is gone on with by whoever takes the answer over: what was done is not done again', async () => {
    const { registry, requests } = scriptedModel(TWO_CALLS)
    const agentId = await createTestAgent(db, registry, RULES)
    expect((await say(createTestEngine(db, registry, 'asker'), agentId, 'Go')).end.stopReason).toBe('requires_approval')
    let calls = 0
    const hangsAtSecond = (name: string): BuiltinTool | undefined => {
      const tool = findBuiltinTool(name)
      if (tool?.name !== 'memory_insert') return tool
      return {
        ...tool,
        execute: async (args, context) => {
          calls += 1
          if (calls === 2) await sleep(60_000, undefined, { ref: false })
          return tool.execute(args, context)
        },
      }
    }
    const dying = engineWith(registry, 'dying', hangsAtSecond)
    void answer(dying, agentId)
    await expect.poll(() => calls, { timeout: 10_000 }).toBe(2)
    await dying[Symbol.asyncDispose]()
    expect(await readBlock(db, agentId, 'human')).toMatchObject({ value: 'one' })
    const heir = createTestEngine(db, registry, 'heir')
    await heir.open()
    await expect
      .poll(async () => (await storedMessages(db, agentId)).at(-1)?.content, { timeout: 10_000 })
      .toEqual([{ type: 'text', text: 'Done.' }])
    await heir[Symbol.asyncDispose]()
    expect(await readBlock(db, agentId, 'human')).toMatchObject({ value: 'one\ntwo' })
    expect((await storedMessages(db, agentId)).map((message) => message.role)).toEqual([
      'system',
      'user',
      'approval',
      'approval',
      'tool',
      'assistant',
    ])
    expect(requests).toHaveLength(2)
  })

  it('waits on where its answer failed before anything was done, and can be answered again', async () => {
    const { registry } = scriptedModel(TWO_CALLS)
    const agentId = await createTestAgent(db, registry, RULES)
    const engine = createTestEngine(db, registry)
    await say(engine, agentId, 'Go')
    const run = { ...newRun(agentId, '', { ...answering(APPROVE), overrideModel: 'nobody/nothing' }), input: [] }
    const ended = Promise.withResolvers<void>()
    await engine.start(run, (event) => {
      if (event.type === 'run-end') ended.resolve()
    })
    await ended.promise
    expect(await isPending(agentId)).toBe(true)
    expect((await answer(engine, agentId)).stopReason).toBe('end_turn')
  })

  it('is settled by a cancellation while its answer is worked on', async () => {
    const { registry } = scriptedModel(TWO_CALLS)
    const agentId = await createTestAgent(db, registry, RULES)
    await say(createTestEngine(db, registry, 'asker'), agentId, 'Go')
    let isBusy = false
    const slow = engineWith(registry, 'slow', (name) => {
      const tool = findBuiltinTool(name)
      if (tool === undefined) return undefined
      return {
        ...tool,
        execute: async (args, context) => {
          isBusy = true
          await sleep(60_000, undefined, { signal: context.signal, ref: false }).catch(() => {})
          return tool.execute(args, context)
        },
      }
    })
    const run = { ...newRun(agentId, '', answering(APPROVE)), input: [] }
    const ended = Promise.withResolvers<string>()
    await slow.start(run, (event) => {
      if (event.type === 'run-end') ended.resolve(event.stopReason)
    })
    await expect.poll(() => isBusy, { timeout: 10_000 }).toBe(true)
    await slow.cancel(DEFAULT_ORGANIZATION_ID, run.runId)
    expect(await ended.promise).toBe('cancelled')
    expect(await isPending(agentId)).toBe(false)
    const { end } = await say(createTestEngine(db, registry, 'next'), agentId, 'And?')
    expect(end).toMatchObject({ stopReason: 'end_turn', error: null })
  })

  it('keeps the state of the rules: what was called before it counts', async () => {
    const search = { name: 'conversation_search', arguments: { query: 'x' } }
    const { registry, requests } = scriptedModel(
      (request, index) =>
        [{ toolCalls: [search] }, { toolCalls: [insert('b', 'two')] }][index] ??
        (request.tools.some((tool) => tool.name === 'conversation_search')
          ? { toolCalls: [search] }
          : { text: 'Done.' }),
    )
    const agentId = await createTestAgent(db, registry, {
      tool_rules: [
        ...RULES.tool_rules,
        { type: 'run_first', tool_name: 'conversation_search' },
        { type: 'max_count_per_step', tool_name: 'conversation_search', max_count_limit: 1 },
      ],
    })
    const engine = createTestEngine(db, registry)
    expect((await say(engine, agentId, 'Go')).end).toMatchObject({ stopReason: 'requires_approval', stepCount: 2 })
    expect((await answer(engine, agentId)).stopReason).toBe('end_turn')
    expect(requests[2]?.toolChoice).toEqual({ type: 'auto' })
    expect(requests[2]?.tools.map((tool) => tool.name)).not.toContain('conversation_search')
  })

  it('stays in the context with all of its turn, however short the window is', async () => {
    const words = 'word '.repeat(3000)
    const { registry, requests } = scriptedModel((request) =>
      JSON.stringify(request.messages).includes('NOW') && request.messages.at(-1)?.role === 'user'
        ? { text: words, toolCalls: [insert('a', 'one')] }
        : { text: words },
    )
    const agentId = await createTestAgent(db, registry, { ...RULES, context_window_limit: 8000 })
    const engine = createTestEngine(db, registry)
    for (const text of ['first', 'second']) await say(engine, agentId, `${text} ${words}`)
    expect((await say(engine, agentId, 'NOW')).end.stopReason).toBe('requires_approval')
    expect((await answer(engine, agentId)).stopReason).toBe('end_turn')
    // the first is the note or the summary of what has left the context
    expect(requests.at(-1)?.messages.map((message) => message.role)).toEqual([
      'system',
      'user',
      'user',
      'assistant',
      'tool',
    ])
  })

  it('is denied in time where nobody answers, once for all replicas, and the agent goes on', async () => {
    const { registry, requests } = scriptedModel(TWO_CALLS)
    const agentId = await createTestAgent(db, registry, RULES)
    const engine = createTestEngine(db, registry)
    await say(engine, agentId, 'Go')
    expect(await listOverdueApprovals(db, 60_000, 10)).toEqual([])
    const before = requests.length
    const jobs = [1, 2].map(() => denyOverdueApprovals({ db, logger, runs: engine, timeoutMs: 1, everyMs: 20 }))
    for (const job of jobs) job.start()
    await expect
      .poll(async () => (await storedMessages(db, agentId)).at(-1)?.content, { timeout: 10_000 })
      .toEqual([{ type: 'text', text: 'Done.' }])
    for (const job of jobs) await job[Symbol.asyncDispose]()
    const results = (await storedMessages(db, agentId)).flatMap((message) => message.tool_returns ?? [])
    expect(results.map((result) => result.text)).toEqual(
      ['a', 'b'].map(
        () => 'Error: request to call tool denied. User reason: Nobody answered in time, so the tool call was denied.',
      ),
    )
    expect(requests).toHaveLength(before + 1)
  })
})
