import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { compactThread } from '#agent/compact-thread.ts'
import { readSummaryMessage } from '#agent/context-window/summary-text.ts'
import { ModelError, type ModelEvent, type ModelInfo, type ModelRegistry, type ModelRequest } from '#llm/model.ts'
import { createLogger } from '#platform/logger.ts'
import { type Db, statement } from '#store/db.ts'
import { type Script, type ScriptedReply, scriptedModel } from '../../test/support/scripted-model.ts'
import {
  createTestAgent,
  createTestEngine,
  newRun,
  say,
  storedMessages,
  TEST_ACTOR,
} from '../../test/support/test-agent.ts'
import { openTestDatabase } from '../../test/support/test-database.ts'

let db: Db
beforeAll(async () => {
  db = await openTestDatabase()
})
afterAll(() => db[Symbol.asyncDispose]())

const WINDOW = 8000
const FILLER = 'word '.repeat(500)

const textsOf = ({ messages }: ModelRequest): string[] =>
  messages.flatMap((message) =>
    message.role === 'system' || message.role === 'tool'
      ? []
      : [message.content.map((part) => (part.type === 'text' ? part.text : '')).join('')],
  )
const isSummaryRequest = (request: ModelRequest): boolean =>
  /<conversation>|This is not the user/.test(textsOf(request).at(-1) ?? '')

interface Rules {
  /** Answers requests for a summary. */
  summarize: Script
  answer?: Script
  settings?: Record<string, unknown>
  timeoutMs?: number
  window?: number
}

/** An agent with a small window whose model also summarises. */
async function setUp({ summarize, answer, settings, timeoutMs = 5000, window = WINDOW }: Rules) {
  const { registry, requests } = scriptedModel((request, index) =>
    isSummaryRequest(request) ? summarize(request, index) : (answer?.(request, index) ?? { text: `Noted. ${FILLER}` }),
  )
  const agentId = await createTestAgent(db, registry, {
    context_window_limit: window,
    compaction_settings: settings ?? null,
  })
  const engine = createTestEngine(db, registry, `process-${agentId}`, 4000, timeoutMs)
  return { agentId, engine, registry, requests }
}

type Agent = Awaited<ReturnType<typeof setUp>>

/** Fills the window so many times over. */
async function fill({ engine, agentId }: Agent, times: number, window = WINDOW): Promise<void> {
  const turns = Math.ceil((window * times) / 1010)
  for (let turn = 0; turn < turns; turn += 1) {
    const { end } = await say(
      engine,
      agentId,
      `${turn === 0 ? 'My boat is called Zanzibar. ' : ''}turn ${turn} ${FILLER}`,
    )
    expect(end, JSON.stringify(end.error)).toMatchObject({ stopReason: 'end_turn' })
  }
}

const summariesOf = async (agentId: string) =>
  (await storedMessages(db, agentId))
    .filter(({ role }) => role === 'summary')
    .map((row) => ({ ...readSummaryMessage(row.content), row }))

const ledger = statement(
  'test-summary-ledger',
  `select model_handle, status, error_type, input_tokens, output_tokens, run_id from provider_calls
   where agent_id = $1 and purpose = 'summary' order by created_at`,
)
const callsOf = (agentId: string) =>
  db.query<{ model_handle: string; status: string; error_type: string | null; input_tokens: number; run_id: string }>(
    ledger,
    [agentId],
  )

const context = statement(
  'test-context',
  'select context_start_seq, summary_message_id from conversations where agent_id = $1',
)

describe('a conversation that outgrows its window', () => {
  it('is summarised before the call, with the summary first and the newest messages after it', async () => {
    const agent = await setUp({
      summarize: () => ({ text: 'The boat is called Zanzibar.', usage: { inputTokens: 900 } }),
    })
    await fill(agent, 1.5)
    const summaries = await summariesOf(agent.agentId)
    expect(summaries.length).toBeGreaterThanOrEqual(1)
    const newest = summaries.at(-1)
    expect(newest).toMatchObject({ summary: 'The boat is called Zanzibar.', leftOut: 0 })
    expect(newest?.stats).toMatchObject({ trigger: 'post_step_context_check', context_window: WINDOW })
    const { stats } = newest as NonNullable<typeof newest>
    expect(stats?.context_tokens_before).toBeGreaterThan(WINDOW * 0.9)
    expect(stats?.context_tokens_after).toBeLessThan(WINDOW * 0.8)
    expect(stats?.messages_count_after).toBeLessThan(stats?.messages_count_before ?? 0)

    const last = agent.requests.at(-1) as ModelRequest
    expect(textsOf(last)[0]).toContain('The boat is called Zanzibar.')
    expect(textsOf(last).filter((text) => text.includes('Summary of the earlier messages'))).toHaveLength(1)
    expect(last.messages[0]).toMatchObject({ role: 'system', text: expect.stringContaining('previous messages') })
    const [state] = await db.query<{ summary_message_id: string }>(context, [agent.agentId])
    expect(state?.summary_message_id).toBe(newest?.row.id)
    expect(await callsOf(agent.agentId)).toEqual(
      summaries.map(({ row }) => expect.objectContaining({ status: 'success', input_tokens: 900, run_id: row.run_id })),
    )
  })

  it('goes on with the former summary when it is compacted again', async () => {
    let count = 0
    const agent = await setUp({
      summarize: (request) => {
        count += 1
        const text = textsOf(request).at(-1) ?? ''
        if (count > 1) expect(text).toContain(`summary number ${count - 1}`)
        return { text: `summary number ${count}` }
      },
    })
    await fill(agent, 3)
    expect(count).toBeGreaterThan(2)
    const [first] = textsOf(agent.requests.at(-1) as ModelRequest)
    expect(first).toContain(`summary number ${count}`)
    expect(first).not.toContain('summary number 1\n')
  })

  it('tells the stream before and after, in order', async () => {
    const agent = await setUp({ summarize: () => ({ text: 'Short.' }) })
    await fill(agent, 0.5)
    const said = [await say(agent.engine, agent.agentId, FILLER.repeat(10))]
    const compacted = said.find(({ events }) => events.some(({ type }) => type === 'compaction'))
    const kinds = compacted?.events
      .filter(({ type }) => ['compaction', 'message', 'run-end'].includes(type))
      .map((event) => (event.type === 'message' ? event.message.role : event.type))
    expect(kinds).toEqual(['compaction', 'summary', 'assistant', 'run-end'])
  })

  it('costs no statement more in a turn that compacts nothing', async () => {
    const agent = await setUp({ summarize: () => ({ text: 'Short.' }), answer: () => ({ text: 'Yes.' }) })
    const names: string[] = []
    const watched = new Proxy(db, {
      get(target, key) {
        if (key !== 'query') return Reflect.get(target, key, target)
        return (query: { name: string }, params: unknown[]) => {
          names.push(query.name.split('#')[0] ?? '')
          return target.query(query as never, params)
        }
      },
    })
    const engine = createTestEngine(watched, agent.registry, 'watched')
    await say(engine, agent.agentId, 'Hello')
    await engine.idle()
    expect(names.map((name) => name.split('#', 1)[0])).toEqual([
      'start-run',
      'load-thread',
      'list-context-messages',
      'advance-run',
    ])
  })
})

describe('whatever the summariser does, the agent answers the next turn, and old facts are found', () => {
  const failing: [string, Partial<Rules> & Pick<Rules, 'summarize'>][] = [
    ['always fails', { summarize: () => ({ error: new ModelError('server_error', 'openai: down') }) }],
    ['hangs', { summarize: () => ({ delayMs: 600_000, text: 'too late' }), timeoutMs: 150 }],
    [
      'hangs and does not hear that it is not waited for any more',
      { summarize: () => sleep(1500).then((): ScriptedReply => ({ text: 'too late' })), timeoutMs: 150 },
    ],
    ['writes nothing', { summarize: () => ({ text: ' ' }) }],
    [
      'finds everything too long',
      { summarize: () => ({ error: new ModelError('context_window_exceeded', 'too long') }) },
    ],
    ['throws what nobody foresaw', { summarize: () => Promise.reject(new TypeError('undefined is no function')) }],
  ]
  it.each(failing)('a summariser that %s', async (_what, rules) => {
    for (const mode of ['sliding_window', 'self_compact_all']) {
      const agent = await setUp({
        ...rules,
        settings: { mode },
        answer: ({ messages }) =>
          messages.at(-1)?.role === 'user' && JSON.stringify(messages.at(-1)).includes('What is my boat called')
            ? { toolCalls: [{ name: 'conversation_search', arguments: { query: 'boat', roles: ['user'] } }] }
            : { text: `Noted. ${FILLER}` },
      })
      await fill(agent, 3)
      const asked = await say(agent.engine, agent.agentId, 'What is my boat called?')
      expect(asked.end.stopReason).toBe('end_turn')
      expect(JSON.stringify(asked.messages)).toContain('My boat is called Zanzibar')
      const newest = (await summariesOf(agent.agentId)).at(-1)
      expect(newest?.leftOut).toBeGreaterThan(8)
      expect(newest?.message).toContain('left out without a summary')
      expect(textsOf(agent.requests.at(-1) as ModelRequest)[0]).toContain('left out without a summary')
      const calls = await callsOf(agent.agentId)
      expect(calls.length).toBeGreaterThan(2)
      expect(calls.every(({ status }) => status === 'failed')).toBe(true)
    }
  })

  it('a summariser with half of the window, or less, reads in parts what its window holds', async () => {
    for (const contextWindow of [WINDOW / 2, 2500, 600]) {
      const big = { handle: 'openai/big', name: 'big', contextWindow: 128_000 }
      const small = { handle: 'openai/small', name: 'small', contextWindow }
      const seen: number[] = []
      const { registry, requests } = scriptedModel((request) => {
        if (!isSummaryRequest(request)) return { text: `Noted. ${FILLER}` }
        const tokens = JSON.stringify(request.messages).length / 4.5
        seen.push(tokens)
        return tokens > contextWindow
          ? { error: new ModelError('context_window_exceeded', 'too long') }
          : { text: `Summary ${seen.length}. Zanzibar.` }
      })
      const base = await registry.getModel('openai/gpt-4o-mini', null)
      const models = {
        ...registry,
        getModel: async (handle: string) => ({
          ...base,
          info: { ...base.info, ...(handle === small.handle ? small : big) } as ModelInfo,
        }),
      }
      const agentId = await createTestAgent(db, models, {
        model: big.handle,
        context_window_limit: WINDOW,
        compaction_settings: { model: small.handle, mode: 'all' },
      })
      const engine = createTestEngine(db, models, `process-${contextWindow}`)
      await fill({ agentId, engine, registry: models, requests }, 3)
      const newest = (await summariesOf(agentId)).at(-1)
      if (contextWindow === 600) expect(newest?.message).toContain('left out without a summary')
      else {
        expect(newest?.summary).toContain('Zanzibar')
        expect(seen.every((tokens) => tokens <= contextWindow)).toBe(true)
        expect(seen.length).toBeGreaterThan((await summariesOf(agentId)).length)
      }
    }
  })

  it('a former summary outlives a summariser that has begun to fail', async () => {
    let isDown = false
    const agent = await setUp({
      summarize: () => (isDown ? { error: new ModelError('overloaded', 'busy') } : { text: 'The boat is Zanzibar.' }),
    })
    await fill(agent, 1.2)
    isDown = true
    await fill(agent, 2)
    const newest = (await summariesOf(agent.agentId)).at(-1)
    expect(newest?.summary).toBe('The boat is Zanzibar.')
    expect(newest?.leftOut).toBeGreaterThan(3)
  })
})

it('where the cheap model of the provider is refused, that of the agent writes the summary', async () => {
  const agent = await setUp({ summarize: () => ({ text: 'The boat is called Zanzibar.' }) })
  const asked: string[] = []
  const registry: ModelRegistry = {
    ...agent.registry,
    async getModel(handle, organizationId) {
      if (handle !== 'openai/gpt-5-mini') return agent.registry.getModel(handle, organizationId)
      const { info } = await agent.registry.getModel('openai/gpt-4o-mini', organizationId)
      // biome-ignore lint/correctness/useYield: it fails before it says anything
      async function* stream(): AsyncGenerator<ModelEvent> {
        asked.push(handle)
        throw new ModelError('authentication', 'This key may not ask gpt-5-mini.')
      }
      return { info: { ...info, handle }, stream }
    },
  }
  const engine = createTestEngine(db, registry, 'cheap')
  await fill({ ...agent, engine }, 1.2)
  expect(asked.length).toBeGreaterThan(0)
  expect((await summariesOf(agent.agentId))[0]).toMatchObject({ summary: 'The boat is called Zanzibar.', leftOut: 0 })
})

describe('modes', () => {
  const reply: Script = () => ({ text: 'Zanzibar.' })

  it('self_compact_*: the same model is asked with the same prompt, tools and messages', async () => {
    for (const mode of ['self_compact_all', 'self_compact_sliding_window']) {
      const agent = await setUp({ summarize: reply, settings: { mode } })
      await fill(agent, 1.3)
      const at = agent.requests.findIndex(isSummaryRequest)
      const [before, asked] = [agent.requests[at - 1], agent.requests[at]] as [ModelRequest, ModelRequest]
      expect(asked.tools).toEqual(before.tools)
      const shared = asked.messages.slice(0, -1)
      expect(shared.slice(0, before.messages.length)).toEqual(before.messages.slice(0, shared.length))
      expect((await summariesOf(agent.agentId))[0]?.summary).toBe('Zanzibar.')
    }
  })

  it('self_compact_all falls back to less of itself, and then to a summariser', async () => {
    const asked: { isSelf: boolean; length: number }[] = []
    const agent = await setUp({
      settings: { mode: 'self_compact_all' },
      summarize: (request) => {
        const isSelf = textsOf(request).at(-1)?.includes('This is not the user') === true
        asked.push({ isSelf, length: request.messages.length })
        return isSelf ? { error: new ModelError('context_window_exceeded', 'too long') } : { text: 'Zanzibar.' }
      },
    })
    await fill(agent, 1.1)
    const [all, part, another] = asked
    expect([all?.isSelf, part?.isSelf, another?.isSelf]).toEqual([true, true, false])
    expect(part?.length).toBeLessThan(all?.length ?? 0)
    expect((await summariesOf(agent.agentId))[0]).toMatchObject({ summary: 'Zanzibar.', leftOut: 0 })
  })

  it('all keeps the turn alone', async () => {
    const agent = await setUp({ summarize: reply, settings: { mode: 'all' } })
    await fill(agent, 1.1)
    const at = agent.requests.findIndex(isSummaryRequest)
    expect(agent.requests[at + 1]?.messages.map(({ role }) => role)).toEqual(['system', 'user', 'user'])
  })

  it('settings: own prompt, acknowledgement, and clip_chars', async () => {
    const agent = await setUp({
      summarize: () => ({ text: 'abcdefghij' }),
      settings: { prompt: 'Only names.', prompt_acknowledgement: true, clip_chars: 5 },
    })
    await fill(agent, 1.2)
    const request = agent.requests.find(isSummaryRequest)
    expect(request?.messages.map(({ role }) => role)).toEqual(['system', 'user', 'assistant', 'user'])
    expect(request?.messages[0]).toEqual({ role: 'system', text: 'Only names.' })
    expect((await summariesOf(agent.agentId))[0]?.summary).toBe('abcd…')
  })
})

describe('inside a turn', () => {
  it('never leaves out what the turn itself has said and done', async () => {
    const long = 'data '.repeat(700)
    const agent = await setUp({
      summarize: () => ({ text: 'Earlier things.' }),
      answer: (request) => {
        const own = request.messages.slice(request.messages.findLastIndex(({ role }) => role === 'user') + 1)
        const steps = own.filter(({ role }) => role === 'tool').length
        if (!textsOf(request).some((text) => text.includes('Work!'))) return { text: `Noted. ${FILLER}` }
        if (steps >= 4) return { text: 'Done.' }
        return {
          text: `step ${steps} ${long}`,
          toolCalls: [{ name: 'conversation_search', arguments: { query: 'x' } }],
        }
      },
    })
    await fill(agent, 0.7)
    const said = await say(agent.engine, agent.agentId, 'Work!')
    expect(said.end).toMatchObject({ stopReason: 'end_turn', stepCount: 5 })
    expect(said.messages.some(({ role }) => role === 'summary')).toBe(true)
    const last = agent.requests.at(-1) as ModelRequest
    expect(textsOf(last).filter((text) => text.startsWith('step '))).toHaveLength(4)
    expect(textsOf(last)).toContain('Work!')
  })

  it('after the provider found the prompt too long: compacts, and asks again', async () => {
    let isStrict = false
    const agent = await setUp({
      summarize: () => ({ text: 'Short.' }),
      answer: ({ messages }) =>
        isStrict && JSON.stringify(messages).length > 12_000
          ? { error: new ModelError('context_window_exceeded', 'too long') }
          : { text: `Noted. ${FILLER}` },
    })
    await fill(agent, 0.5)
    isStrict = true
    const said = await say(agent.engine, agent.agentId, 'And now?')
    expect(said.end.stopReason).toBe('end_turn')
    const summaries = await summariesOf(agent.agentId)
    expect(summaries[0]?.stats?.trigger).toBe('context_window_exceeded')
  })

  it('reads its estimates by what the provider has counted', async () => {
    // a tokenizer that makes half as many tokens again of everything
    const counted = ({ messages, tools }: ModelRequest) =>
      Math.round((JSON.stringify([messages, tools]).length / 5) * 1.5)
    const agent = await setUp({
      summarize: () => ({ text: 'Short.' }),
      answer: (request) => {
        const inputTokens = counted(request)
        return inputTokens > WINDOW
          ? { error: new ModelError('context_window_exceeded', 'too long') }
          : { text: `Noted. ${FILLER}`, usage: { inputTokens } }
      },
    })
    await fill(agent, 3)
    const summaries = await summariesOf(agent.agentId)
    expect(summaries.length).toBeGreaterThan(2)
    expect(summaries.map(({ stats }) => stats?.trigger)).not.toContain('context_window_exceeded')
  })

  it('is cancelled while the summary is written; the call is in the ledger, the context as it was', async () => {
    const begun = Promise.withResolvers<void>()
    const agent = await setUp({
      summarize: () => {
        begun.resolve()
        return { delayMs: 60_000, text: 'never' }
      },
      timeoutMs: 60_000,
    })
    await fill(agent, 0.5)
    const run = newRun(agent.agentId, FILLER.repeat(10))
    const ended = Promise.withResolvers<string>()
    await agent.engine.start(run, (event) => {
      if (event.type === 'run-end') ended.resolve(event.stopReason)
    })
    await begun.promise
    expect(await agent.engine.cancel(run.organizationId, run.runId)).toBe(true)
    expect(await ended.promise).toBe('cancelled')
    expect(await callsOf(agent.agentId)).toMatchObject([{ status: 'cancelled', run_id: run.runId }])
    expect(await summariesOf(agent.agentId)).toEqual([])
  })

  it('a process that has lost the run writes no summary; its successor does, once', async () => {
    const begun = Promise.withResolvers<void>()
    const late = Promise.withResolvers<void>()
    const agent = await setUp({
      summarize: async () => {
        begun.resolve()
        await late.promise
        return { text: 'From the dead.' }
      },
      timeoutMs: 60_000,
    })
    await fill(agent, 0.5)
    const run = newRun(agent.agentId, FILLER.repeat(10))
    await agent.engine.start(run)
    await begun.promise
    await db.query(statement('test-expire', `update runs set lease_expires_at = '-infinity' where id = $1`), [
      run.runId,
    ])
    const heir = createTestEngine(
      db,
      scriptedModel((request) => ({ text: isSummaryRequest(request) ? 'From the heir.' : 'Yes.' })).registry,
      'heir',
    )
    await heir.open()
    await heir.idle()
    late.resolve()
    await agent.engine.idle()
    const summaries = await summariesOf(agent.agentId)
    expect(summaries.map(({ summary }) => summary)).toEqual(['From the heir.'])
    expect(await callsOf(agent.agentId)).toHaveLength(1)
    await heir[Symbol.asyncDispose]()
  })

  it('takes the context as a compaction leaves it that was asked for before and ends in the middle', async () => {
    const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const begun = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    let count = 0
    const agent = await setUp({
      summarize: async () => {
        const index = count++
        begun[index]?.resolve()
        await gates[index]?.promise
        return { text: `summary ${index}` }
      },
    })
    await fill(agent, 0.5)
    const config = { globalMaxContextWindow: 128_000, summaryTimeoutMs: 5000 }
    const deps = { db, models: agent.registry, logger: createLogger({ level: 'silent', format: 'json' }), config }
    const asked = compactThread(deps, TEST_ACTOR.organizationId, { agentId: agent.agentId }, null)
    await begun[0]?.promise
    const said = say(agent.engine, agent.agentId, FILLER.repeat(10))
    await begun[1]?.promise
    gates[0]?.resolve()
    expect((await asked).summary).toBe('summary 0')
    gates[1]?.resolve()
    expect((await said).end.stopReason).toBe('end_turn')
    expect((await summariesOf(agent.agentId)).map(({ summary }) => summary)).toEqual(['summary 0'])
    expect(textsOf(agent.requests.at(-1) as ModelRequest)[0]).toContain('summary 0')
    expect(await callsOf(agent.agentId)).toHaveLength(2)
    expect((await say(agent.engine, agent.agentId, 'Hi')).end.stopReason).toBe('end_turn')
  })
})
