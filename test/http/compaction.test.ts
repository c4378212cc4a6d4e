import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ModelError, type ModelRequest } from '#llm/model.ts'
import { newId } from '#platform/ids.ts'
import { statement } from '#store/db.ts'
import { type Script, scriptedModel } from '../support/scripted-model.ts'
import { startTestServer, type TestServer } from '../support/test-server.ts'

type Body = Record<string, unknown>
interface Wire extends Body {
  id: string
  message_type: string
  content?: string
  summary?: string
}

const isSummaryRequest = ({ messages }: ModelRequest): boolean =>
  JSON.stringify(messages.at(-1)).includes('<conversation>')

const SUMMARY: Script = () => ({ text: 'They spoke of Zanzibar.', usage: { inputTokens: 77 } })
let summarize = SUMMARY
let server: TestServer
let requests: ModelRequest[]
beforeAll(async () => {
  const model = scriptedModel((request, index) =>
    isSummaryRequest(request) ? summarize(request, index) : { text: 'Noted.' },
  )
  requests = model.requests
  server = await startTestServer({ models: model.registry })
})
afterAll(() => server.close())

async function createAgent(over: Body = {}): Promise<string> {
  const { body, status } = await server.request<{ id: string }>('POST', '/v1/agents', {
    model: 'openai/gpt-4o-mini',
    ...over,
  })
  expect(status, JSON.stringify(body)).toBe(200)
  return body.id
}

const send = (agentId: string, text: string, over: Body = {}) =>
  server.request<{ messages: Wire[] }>('POST', `/v1/agents/${agentId}/messages`, { input: text, ...over })

async function talk(agentId: string, turns: number): Promise<void> {
  for (let turn = 0; turn < turns; turn += 1) {
    expect((await send(agentId, `${turn === 0 ? 'My boat is Zanzibar' : `turn ${turn}`}`)).status).toBe(200)
  }
}

const list = async (agentId: string, query = '') =>
  (await server.request<Wire[]>('GET', `/v1/agents/${agentId}/messages?limit=200&order=asc${query}`)).body
const idsInContext = async (agentId: string) =>
  (await server.request<{ message_ids: string[] }>('GET', `/v1/agents/${agentId}`)).body.message_ids

describe('POST /v1/agents/{id}/summarize', () => {
  it('summarises what is older, shows the summary first in context, and loses nothing', async () => {
    const agentId = await createAgent()
    await talk(agentId, 8)
    const before = await list(agentId)
    const { status, body } = await server.request('POST', `/v1/agents/${agentId}/summarize`)
    expect(status).toBe(200)
    expect(body).toEqual({ summary: 'They spoke of Zanzibar.', num_messages_before: 17, num_messages_after: 13 })

    const after = await list(agentId)
    expect(after.slice(0, before.length)).toEqual(
      before.map((message) =>
        message.message_type === 'system_message' ? { ...message, content: expect.any(String) } : message,
      ),
    )
    const summary = after.at(-1)
    expect(summary).toMatchObject({
      message_type: 'summary_message',
      summary: expect.stringContaining('They spoke of Zanzibar.'),
      compaction_stats: { trigger: 'manual', messages_count_before: 17, messages_count_after: 13 },
    })
    const ids = await idsInContext(agentId)
    expect(ids).toHaveLength(13)
    expect(ids[1]).toBe(summary?.id)
    expect(after[0]?.content).toContain('previous messages')

    await send(agentId, 'And now?')
    const texts = requests.at(-1)?.messages.map((message) => JSON.stringify(message)) ?? []
    expect(texts[1]).toContain('They spoke of Zanzibar.')
    expect(texts.join()).not.toContain('My boat is Zanzibar')
    expect(texts.at(-1)).toContain('And now?')
    expect(await idsInContext(agentId)).toHaveLength(15)
  })

  it('takes settings for this once, and folds an earlier summary in', async () => {
    const agentId = await createAgent()
    await talk(agentId, 3)
    const all = { compaction_settings: { mode: 'all', prompt: 'Only names.', clip_chars: 9 } }
    const first = await server.request('POST', `/v1/agents/${agentId}/summarize`, all)
    expect(first.body).toEqual({ summary: 'They spo…', num_messages_before: 7, num_messages_after: 2 })
    expect(requests.at(-1)?.messages[0]).toEqual({ role: 'system', text: 'Only names.' })
    await talk(agentId, 2)
    const second = await server.request('POST', `/v1/agents/${agentId}/summarize`, {
      compaction_settings: { mode: 'all' },
    })
    expect(second.body).toMatchObject({ num_messages_before: 6, num_messages_after: 2 })
    expect(JSON.stringify(requests.at(-1)?.messages)).toContain(
      '<earlier_summary>\\\\nThey spo…'.replaceAll('\\\\n', '\\n'),
    )
    expect(await idsInContext(agentId)).toHaveLength(2)
    const shown = (await list(agentId, '&include_return_message_types=summary_message')).map(
      (message) => message.message_type,
    )
    expect(shown).toEqual(['summary_message', 'summary_message'])
  })

  it('answers 400 where there is nothing to compact', async () => {
    const agentId = await createAgent()
    const empty = await server.request<{ detail: string }>('POST', `/v1/agents/${agentId}/summarize`, {})
    expect([empty.status, empty.body.detail]).toEqual([400, expect.stringContaining('nothing to compact')])
    await talk(agentId, 1)
    expect((await server.request('POST', `/v1/agents/${agentId}/summarize`, null)).status).toBe(200)
    expect((await server.request('POST', `/v1/agents/${agentId}/summarize`)).status).toBe(400)
  })

  it('says what the summariser said when it fails, changes nothing, and has the call in the ledger', async () => {
    const agentId = await createAgent()
    await talk(agentId, 4)
    const ids = await idsInContext(agentId)
    summarize = () => ({ error: new ModelError('rate_limit', 'openai: slow down') })
    try {
      const { status, body } = await server.request('POST', `/v1/agents/${agentId}/summarize`)
      expect([status, body]).toEqual([
        429,
        { error: expect.objectContaining({ type: 'llm_rate_limit', message: 'openai: slow down' }) },
      ])
    } finally {
      summarize = SUMMARY
    }
    expect(await idsInContext(agentId)).toEqual(ids)
    const calls = await server.context.db.query(
      statement(
        'test-ledger',
        `select purpose, status, error_type, run_id from provider_calls where agent_id = $1 and purpose = 'summary'`,
      ),
      [agentId],
    )
    expect(calls).toEqual([{ purpose: 'summary', status: 'failed', error_type: 'rate_limit', run_id: null }])
  })

  it('does not run while a run owns the thread, and loses no message that comes while it runs', async () => {
    const agentId = await createAgent()
    await talk(agentId, 4)
    const setOwner = statement('test-own', 'update conversations set active_run_id = $2 where agent_id = $1')
    await server.context.db.query(setOwner, [agentId, 'run-x'])
    const busy = await server.request('POST', `/v1/agents/${agentId}/summarize`)
    expect([busy.status, busy.body.run_id]).toEqual([409, 'run-x'])
    await server.context.db.query(setOwner, [agentId, null])

    summarize = async () => {
      expect((await send(agentId, 'A message meanwhile')).status).toBe(200)
      return { text: 'Short.' }
    }
    try {
      const all = { compaction_settings: { mode: 'all' } }
      expect((await server.request('POST', `/v1/agents/${agentId}/summarize`, all)).status).toBe(200)
    } finally {
      summarize = SUMMARY
    }
    // system, summary, and what was said meanwhile
    expect(await idsInContext(agentId)).toHaveLength(4)
    await send(agentId, 'Still there?')
    const said = requests.at(-1)?.messages.map((message) => JSON.stringify(message)) ?? []
    expect(said).toHaveLength(5)
    expect(said[2]).toContain('A message meanwhile')
  })

  it('of two at once one wins, and one that raced with a reset keeps nothing of what was forgotten', async () => {
    const agentId = await createAgent()
    await talk(agentId, 4)
    // neither has its summary before both have read the thread
    let arrived = 0
    const both = Promise.withResolvers<void>()
    summarize = async (...given) => {
      arrived += 1
      if (arrived === 2) both.resolve()
      await both.promise
      return SUMMARY(...given)
    }
    const race = await Promise.all([1, 2].map(() => server.request('POST', `/v1/agents/${agentId}/summarize`)))
    expect(race.map(({ status }) => status).sort()).toEqual([200, 409])
    expect(arrived).toBe(2)

    summarize = async () => {
      expect((await server.request('PATCH', `/v1/agents/${agentId}/reset-messages`, {})).status).toBe(200)
      return { text: 'A secret.' }
    }
    try {
      expect((await server.request('POST', `/v1/agents/${agentId}/summarize`)).status).toBe(409)
    } finally {
      summarize = SUMMARY
    }
    expect(await idsInContext(agentId)).toHaveLength(1)
    expect(JSON.stringify(await list(agentId))).not.toContain('secret')
  })
})

describe('POST /v1/conversations/{id}/compact', () => {
  it('takes a conversation, `default` with an agent, and an agent id', async () => {
    const agentId = await createAgent()
    const [thread] = await server.context.db.query<{ id: string }>(
      statement('test-thread', 'select id from conversations where agent_id = $1'),
      [agentId],
    )
    for (const [path, body] of [
      [thread?.id, { compaction_settings: { mode: 'all' } }],
      ['default', { agent_id: agentId }],
      [agentId, {}],
    ] as const) {
      await talk(agentId, 4)
      const answer = await server.request<{ num_messages_before: number; num_messages_after: number }>(
        'POST',
        `/v1/conversations/${path}/compact`,
        body,
      )
      expect(answer.status, JSON.stringify(answer.body)).toBe(200)
      expect(answer.body.num_messages_after).toBeLessThan(answer.body.num_messages_before)
    }
    expect((await server.request('POST', '/v1/conversations/default/compact', {})).status).toBe(422)
  })
})

describe('who may compact what', () => {
  const paths = (agentId: string, conversationId: string) => [
    `/v1/agents/${agentId}/summarize`,
    `/v1/conversations/${agentId}/compact`,
    `/v1/conversations/${conversationId}/compact`,
  ]
  it('unknown and foreign ids are the same 404, malformed ones 422', async () => {
    const agentId = await createAgent()
    const [thread] = await server.context.db.query<{ id: string }>(
      statement('test-thread', 'select id from conversations where agent_id = $1'),
      [agentId],
    )
    const other = await server.addOrganization()
    for (const path of paths(newId('agent'), newId('conv'))) {
      expect((await server.request('POST', path, {})).status, path).toBe(404)
    }
    for (const path of paths(agentId, thread?.id ?? '')) {
      expect((await server.request('POST', path, {}, other.headers)).status, path).toBe(404)
    }
    for (const path of paths('agent-1', 'conv-1')) {
      expect((await server.request('POST', path, {})).status, path).toBe(422)
    }
  })

  it.each([
    { mode: 'none' },
    { clip_chars: 0 },
    { clip_chars: 'many' },
    { sliding_window_percentage: 0 },
    { sliding_window_percentage: 1.5 },
    { model: 'gpt' },
    { model_settings: 'hot' },
    { prompt_acknowledgement: 'maybe' },
    'all',
  ])('settings that mean nothing are refused: %j', async (compaction_settings) => {
    const agentId = await createAgent()
    for (const [method, path] of [
      ['POST', '/v1/agents'],
      ['PATCH', `/v1/agents/${agentId}`],
      ['POST', `/v1/agents/${agentId}/summarize`],
    ] as const) {
      const { status, body } = await server.request<{ detail: string }>(method, path, { compaction_settings })
      expect([status, body.detail], path).toEqual([422, expect.stringContaining('compaction_settings')])
    }
  })
})

describe('compaction_settings of an agent', () => {
  const DEFAULTS = {
    mode: 'sliding_window',
    model: 'openai/gpt-4o-mini',
    model_settings: null,
    prompt: null,
    prompt_acknowledgement: false,
    clip_chars: 50_000,
    sliding_window_percentage: 0.3,
  }
  const settingsOf = async (path: string, method: 'GET' | 'PATCH' = 'GET', body?: Body) =>
    (await server.request<{ compaction_settings: Body }>(method, path, body)).body.compaction_settings

  it('are read with their defaults; null forgets them', async () => {
    const agentId = await createAgent()
    const path = `/v1/agents/${agentId}`
    expect(await settingsOf(path)).toEqual(DEFAULTS)
    const own = {
      mode: 'all',
      clip_chars: null,
      model: 'anthropic/claude-haiku-4-5',
      model_settings: { temperature: 0 },
    }
    expect(await settingsOf(path, 'PATCH', { compaction_settings: own })).toEqual({
      ...DEFAULTS,
      ...own,
      model_settings: { provider_type: 'anthropic', temperature: 0 },
    })
    expect(await settingsOf(path, 'PATCH', { description: 'x' })).toMatchObject({ mode: 'all' })
    expect(await settingsOf(path, 'PATCH', { compaction_settings: null })).toEqual(DEFAULTS)
  })

  it('name the cheap model of the provider where the server has it', async () => {
    const agentId = await createAgent({ model: 'anthropic/claude-haiku-4-5' })
    expect(await settingsOf(`/v1/agents/${agentId}`)).toEqual({ ...DEFAULTS, model: 'anthropic/claude-haiku-4-5' })
  })
})

describe('include_compaction_messages', () => {
  const long = `${'word '.repeat(7000)}`
  const small = { context_window_limit: 8000 }
  const fullAgent = async () => {
    const agentId = await createAgent(small)
    await talk(agentId, 4)
    return agentId
  }

  it('shows what was compacted and the summary before the answer, or nothing of it', async () => {
    for (const isWanted of [true, false]) {
      const agentId = await fullAgent()
      const { body } = await send(agentId, long, { include_compaction_messages: isWanted })
      const types = body.messages.map((message) => message.message_type)
      expect(types).toEqual([...(isWanted ? ['event_message', 'summary_message'] : []), 'assistant_message'])
      if (!isWanted) continue
      expect(body.messages[0]).toMatchObject({
        event_type: 'compaction',
        event_data: {
          trigger: 'post_step_context_check',
          context_token_estimate: expect.any(Number),
          context_window: 8000,
        },
      })
      expect(body.messages[1]).toMatchObject({
        summary: expect.stringContaining('They spoke of Zanzibar.'),
        compaction_stats: { trigger: 'post_step_context_check', context_window: 8000 },
      })
    }
  })

  it('in a list a summary is something the user said, unless summaries are asked for', async () => {
    const agentId = await fullAgent()
    await send(agentId, long)
    const plain = await list(agentId)
    const message = plain.find(({ content }) => content?.includes('system_alert'))
    expect(message).toMatchObject({ message_type: 'user_message' })
    expect(JSON.parse(message?.content ?? '')).toMatchObject({
      type: 'system_alert',
      message: expect.stringContaining('They spoke of Zanzibar.'),
      time: expect.any(String),
      compaction_stats: { messages_count_before: 10 },
    })
    const [summary, ...others] = await list(agentId, '&include_return_message_types=summary_message')
    expect(others).toEqual([])
    expect(summary).toMatchObject({ id: message?.id, message_type: 'summary_message' })
  })

  it('a stream tells it in order, and again when it is resumed', async () => {
    for (const isWanted of [true, false]) {
      const agentId = await fullAgent()
      const client = await server.sdk()
      const stream = await client.agents.messages.stream(agentId, {
        input: long,
        include_compaction_messages: isWanted,
        background: true,
        include_pings: false,
      })
      const seen: { message_type?: string; run_id?: string | null; seq_id?: number | null }[] = []
      for await (const chunk of stream) seen.push(chunk as (typeof seen)[number])
      expect(seen.map((chunk) => chunk.message_type)).toEqual([
        ...(isWanted ? ['event_message', 'summary_message'] : []),
        'assistant_message',
        'stop_reason',
        'usage_statistics',
      ])
      const again: unknown[] = []
      const runId = seen[0]?.run_id ?? ''
      for await (const chunk of await client.runs.messages.stream(runId, { starting_after: 0, include_pings: false })) {
        again.push(chunk)
      }
      // what is told at once has the time of the telling, not that of the commit
      const undated = (chunks: unknown[]) => chunks.map((chunk) => ({ ...(chunk as object), date: undefined }))
      expect(undated(again)).toEqual(undated(seen))
    }
  })
})
