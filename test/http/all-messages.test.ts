import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findBrokenInvariants, readDatabaseState } from '../support/database-state.ts'
import { lastUserText, scriptedModel } from '../support/scripted-model.ts'
import { startTestServer, type TestServer } from '../support/test-server.ts'

interface Message {
  id: string
  message_id: string
  message_type: string
  content?: string
  reasoning?: string
  agent_id: string
  conversation_id: string | null
  created_at: string
  date: string
}

const { registry, requests } = scriptedModel((request) => {
  if (request.messages.at(-1)?.role === 'tool') return { text: 'It is noted.' }
  const said = lastUserText(request)
  if (said.startsWith('note '))
    return { toolCalls: [{ name: 'memory_insert', arguments: { label: 'human', new_string: said } }] }
  return { reasoning: `thinking of ${said}`, text: `re ${said}` }
})

let server: TestServer
/** An agent that has spoken in its default conversation, in one of its own and in a fork of that; and another agent. */
let agentId: string
let otherId: string
let conversationId: string
let forkId: string
beforeAll(async () => {
  server = await startTestServer({ models: registry })
  const newAgent = async (body: object = {}) => {
    const blocks = [{ label: 'human', value: '' }]
    const agent = { model: 'openai/gpt-4o-mini', memory_blocks: blocks, project_id: 'p1', ...body }
    return (await server.request<{ id: string }>('POST', '/v1/agents/', agent)).body.id
  }
  agentId = await newAgent()
  otherId = await newAgent({ project_id: 'p2' })
  await say(`/v1/agents/${agentId}`, 'harbour')
  conversationId = (await server.request<{ id: string }>('POST', `/v1/conversations/?agent_id=${agentId}`, {})).body.id
  await say(`/v1/conversations/${conversationId}`, 'lighthouse')
  forkId = (await server.request<{ id: string }>('POST', `/v1/conversations/${conversationId}/fork`)).body.id
  await say(`/v1/conversations/${forkId}`, 'ferry')
  await say(`/v1/agents/${otherId}`, 'note the lighthouse keeper')
})
afterAll(async () => {
  expect(await findBrokenInvariants(server.context.db)).toEqual([])
  await server.close()
})

async function say(thread: string, text: string): Promise<void> {
  const response = await server.request('POST', `${thread}/messages`, { input: text, streaming: false })
  expect(response.status).toBe(200)
}
const list = async (query = '') => (await server.request<Message[]>('GET', `/v1/messages/?${query}`)).body
const texts = (messages: Message[]) => messages.flatMap(({ content }) => (typeof content === 'string' ? [content] : []))
const users = 'include_return_message_types=user_message'
const UNKNOWN = 'message-01234567-89ab-4def-8123-456789abcdef'

describe('messages of all agents', () => {
  test('oldest first, each with where it was said', async () => {
    const all = await list()
    expect(texts(all.filter((message) => message.message_type === 'user_message'))).toEqual([
      'harbour',
      'lighthouse',
      'ferry',
      'note the lighthouse keeper',
    ])
    expect(all.find(({ content }) => content === 're harbour')).toEqual({
      id: expect.stringMatching(/^message-/),
      message_id: expect.stringMatching(/^message-/),
      message_type: 'assistant_message',
      content: 're harbour',
      agent_id: agentId,
      conversation_id: null,
      created_at: expect.any(String),
      date: expect.any(String),
      name: null,
      otid: expect.any(String),
      sender_id: null,
      step_id: expect.stringMatching(/^step-/),
      run_id: expect.stringMatching(/^run-/),
      is_err: null,
      seq_id: null,
    })
    expect(all.find(({ content }) => content === 're ferry')).toMatchObject({ conversation_id: forkId })
    expect(all.find(({ reasoning }) => reasoning === 'thinking of lighthouse')).toMatchObject({
      conversation_id: conversationId,
    })
  })

  test('the newest by default; cursors are positions, whatever the order', async () => {
    const said = await list(users)
    const [first, second, third, fourth] = said.map((message) => message.id)
    expect(texts(await list(`${users}&limit=1`))).toEqual(['note the lighthouse keeper'])
    expect(texts(await list(`${users}&limit=1&order=asc`))).toEqual(['harbour'])
    for (const order of ['asc', 'desc']) {
      const page = async (query: string) =>
        (await list(`${users}&order=${order}&${query}`)).map((message) => message.id)
      expect(await page(`after=${second}`)).toEqual([third, fourth])
      expect(await page(`before=${third}`)).toEqual([first, second])
      expect(await page(`after=${first}&before=${fourth}`)).toEqual([second, third])
    }
    expect((await server.request('GET', `/v1/messages/?after=${UNKNOWN}`)).status).toBe(404)
  })

  test('types are counted before the limit', async () => {
    const typesOf = async (type: string, limit = 100) =>
      (await list(`include_return_message_types=${type}&limit=${limit}`)).map((message) => message.message_type)
    expect(await typesOf('tool_call_message', 1)).toEqual(['tool_call_message'])
    expect(await typesOf('tool_return_message')).toEqual(['tool_return_message'])
    expect(await typesOf('system_message')).toHaveLength(4)
    expect(await typesOf('reasoning_message', 2)).toEqual(['reasoning_message', 'reasoning_message'])
    expect(await typesOf('assistant_message', 100)).toHaveLength(4)
    for (const none of ['event_message', 'hidden_reasoning_message', 'approval_request_message', 'summary_message']) {
      expect(await typesOf(none)).toEqual([])
    }
    expect((await server.request('GET', '/v1/messages/?include_return_message_types=nonsense')).status).toBe(422)
    expect((await server.request('GET', '/v1/messages/?limit=0')).status).toBe(422)
  })

  test('of one conversation, with what a fork shares; of default ones', async () => {
    expect(texts(await list(`conversation_id=${forkId}&${users}`))).toEqual(['lighthouse', 'ferry'])
    expect(texts(await list(`conversation_id=${forkId}&${users}&limit=1`))).toEqual(['ferry'])
    const ofFork = await list(`conversation_id=${forkId}`)
    expect(ofFork[0]?.message_type).toBe('system_message')
    const afterSystem = await list(`conversation_id=${forkId}&after=${ofFork[0]?.id}&limit=1&order=asc`)
    expect(texts(afterSystem)).toEqual(['lighthouse'])
    expect(texts(await list(`conversation_id=default&${users}`))).toEqual(['harbour', 'note the lighthouse keeper'])
    expect(await list('conversation_id=conv-01234567-89ab-4def-8123-456789abcdef')).toEqual([])
  })

  test('one by its id, as all that it is shown as', async () => {
    const found = (await list()).find(({ content }) => content === 're harbour')
    const { body } = await server.request<Message[]>('GET', `/v1/messages/${found?.id}`)
    expect(body.map((message) => message.message_type)).toEqual(['reasoning_message', 'assistant_message'])
    expect((await server.request('GET', `/v1/messages/${UNKNOWN}`)).status).toBe(404)
    expect((await server.request('GET', '/v1/messages/5')).status).toBe(422)
  })

  test('another organisation has none of them', async () => {
    const { headers } = await server.addOrganization()
    const [message] = await list()
    expect((await server.request('GET', '/v1/messages/', undefined, headers)).body).toEqual([])
    expect((await server.request('GET', `/v1/messages/?conversation_id=${forkId}`, undefined, headers)).body).toEqual(
      [],
    )
    const refused = await server.request('GET', `/v1/messages/${message?.id}`, undefined, headers)
    expect(refused).toMatchObject({ status: 404, body: { detail: `Message ${message?.id} was not found.` } })
    expect((await server.request('GET', `/v1/messages/?after=${message?.id}`, undefined, headers)).status).toBe(404)
    for (const url of ['/v1/messages/search', '/v1/agents/messages/search']) {
      expect((await server.request('POST', url, { query: 'lighthouse' }, headers)).body).toEqual([])
    }
  })
})

describe("an agent's messages by conversation", () => {
  const of = async (query: string, agent = agentId) =>
    texts((await server.request<Message[]>('GET', `/v1/agents/${agent}/messages?${users}&${query}`)).body)
  test('all, the default one, one with what it shares, and none of another agent', async () => {
    expect(await of('')).toEqual(['harbour', 'lighthouse', 'ferry'])
    expect(await of('conversation_id=default')).toEqual(['harbour'])
    expect(await of(`conversation_id=${conversationId}`)).toEqual(['lighthouse'])
    expect(await of(`conversation_id=${forkId}`)).toEqual(['lighthouse', 'ferry'])
    expect(await of(`conversation_id=${forkId}`, otherId)).toEqual([])
    expect(await of('conversation_id=nonsense')).toEqual([])
    // nothing was said in a group
    const group = 'group_id=group-01234567-89ab-4def-8123-456789abcdef'
    expect(await of(group)).toEqual([])
    expect(await of(`conversation_id=${forkId}&${group}`)).toEqual([])
    expect((await server.request('GET', `/v1/conversations/${forkId}/messages?${group}`)).body).toEqual([])
    expect(await of(`conversation_id=${forkId}&limit=1&order=asc`)).toEqual(['lighthouse'])
    expect(await of(`conversation_id=${forkId}&limit=1`)).toEqual(['ferry'])
  })
})

describe('search', () => {
  const search = async (body: object) => {
    const response = await server.request<Message[]>('POST', '/v1/messages/search', { search_mode: 'fts', ...body })
    expect(response.status, JSON.stringify(response.body)).toBe(200)
    return response.body
  }
  test('by words, in all agents, in the shapes of a search', async () => {
    const found = await search({ query: 'lighthouse' })
    expect(texts(found).toSorted()).toEqual(['lighthouse', 'note the lighthouse keeper', 're lighthouse'])
    expect(found.find(({ content }) => content === 're lighthouse')).toEqual({
      message_type: 'assistant_message',
      content: 're lighthouse',
      message_id: expect.stringMatching(/^message-/),
      agent_id: agentId,
      conversation_id: conversationId,
      created_at: expect.any(String),
      relevance: expect.objectContaining({
        fts_rank: expect.any(Number),
        matched_terms: ['lighthouse'],
        search_mode: 'fts',
      }),
    })
    // an answer is found by its question
    expect(texts(await search({ query: 'lighthouse', search_mode: 'hybrid' }))).toContain('It is noted.')
    // as it is said elsewhere
    expect(texts(await search({ query: 'lighthouses' }))).toHaveLength(3)
    expect(await search({ query: 'submarine' })).toEqual([])
    expect(await search({ query: '!?' })).toEqual([])
    expect(texts(await search({ query: 'lighthouse -keeper' }))).toHaveLength(2)
    expect(await search({ query: 'lighthouse', limit: 1 })).toHaveLength(1)
  })

  test('within an agent, a conversation and what it shares, and between dates, before the limit', async () => {
    expect(texts(await search({ query: 'lighthouse', agent_id: otherId, limit: 1 }))).toEqual([
      'note the lighthouse keeper',
    ])
    expect(texts(await search({ query: 'lighthouse', conversation_id: forkId, limit: 2 })).toSorted()).toEqual([
      'lighthouse',
      're lighthouse',
    ])
    expect(texts(await search({ query: 'lighthouse', conversation_id: 'default' }))).toEqual([
      'note the lighthouse keeper',
    ])
    const [first] = await search({ query: 'harbour', agent_id: agentId })
    const day = 86_400_000
    const at = (ms: number) => new Date(Date.parse(first?.created_at ?? '') + ms).toISOString()
    expect(await search({ query: 'lighthouse', start_date: at(day) })).toEqual([])
    expect(await search({ query: 'lighthouse', end_date: at(-day) })).toEqual([])
    expect(await search({ query: 'lighthouse', start_date: at(-day), end_date: at(day) })).toHaveLength(3)
  })

  test.each([
    [422, {}],
    [422, { query: 5 }],
    [422, { query: 'x', limit: 0 }],
    [422, { query: 'x', limit: 101 }],
    [422, { query: 'x', start_date: 'soon' }],
    [422, { query: 'x', search_mode: 'magic' }],
    [400, { query: 'x', search_mode: 'vector' }],
  ])('%i for %j', async (status, body) => {
    expect((await server.request('POST', '/v1/messages/search', body)).status).toBe(status)
  })

  interface Result {
    embedded_text: string
    message: {
      role: string
      content: { text?: string }[]
      agent_id: string
      conversation_id: string | null
      tool_calls: object[] | null
      tool_returns: object[] | null
    }
    fts_rank: number | null
    rrf_score: number
  }
  const searchAgents = async (body: object) =>
    (await server.request<Result[]>('POST', '/v1/agents/messages/search', body)).body
  test('the twin gives stored messages with their ranks, by roles and by project too', async () => {
    const found = await searchAgents({ query: 'lighthouse', project_id: 'p1' })
    expect(found.map((result) => result.fts_rank)).toEqual([1, 2])
    expect(found[0]?.rrf_score).toBeCloseTo(1 / 61)
    expect(found.map((result) => result.message.role).toSorted()).toEqual(['assistant', 'user'])
    expect(
      (await searchAgents({ query: 'lighthouse', roles: ['tool'] })).map((result) => result.message),
    ).toMatchObject([{ role: 'tool', agent_id: otherId, conversation_id: null, tool_returns: [{ status: 'success' }] }])
    expect(await searchAgents({ query: 'lighthouse', roles: [] })).toEqual([])
    expect(await searchAgents({ query: 'lighthouse', template_id: 'none' })).toEqual([])
    const newest = await searchAgents({ agent_id: otherId, limit: 2, roles: ['assistant'] })
    expect(newest.map((result) => [result.embedded_text, result.fts_rank, result.rrf_score])).toEqual([
      ['It is noted.', null, 0],
      ['', null, 0],
    ])
    expect(newest[1]?.message.tool_calls).toMatchObject([{ type: 'function', function: { name: 'memory_insert' } }])
  })
})

describe('a preview of a request', () => {
  const preview = (thread: string, body: object) =>
    server.request<{ messages: { role: string }[]; tools: object[]; model: string }>(
      'POST',
      `/v1/${thread}/messages/preview-raw-payload`,
      body,
    )
  test('is what the model would be asked, and leaves no trace', async () => {
    const before = await readDatabaseState(server.context.db)
    const asked = requests.length
    const { body } = await preview(`agents/${agentId}`, { input: 'buoy' })
    const inFork = await preview(`conversations/${forkId}`, { messages: [{ role: 'user', content: 'buoy' }] })
    const byDefault = await preview('conversations/default', { input: 'buoy', agent_id: agentId })
    expect(await readDatabaseState(server.context.db)).toEqual(before)
    expect(requests).toHaveLength(asked)
    expect(byDefault.body).toEqual(body)
    await say(`/v1/conversations/${forkId}`, 'buoy')
    const { messages, tools } = requests.at(-1) ?? {}
    expect(inFork.body).toMatchObject({ messages, tools })
    expect(JSON.stringify(inFork.body)).toContain('lighthouse')
    expect(JSON.stringify(body)).not.toContain('lighthouse')
    expect(body.model).toBe('gpt-4o-mini')
  })

  test('shows the memory of this moment although the prompt is not compiled yet', async () => {
    await server.request('PATCH', `/v1/agents/${otherId}`, { system: 'Speak like a sailor.' })
    const { body } = await preview(`agents/${otherId}`, { input: 'x', override_model: 'anthropic/claude-haiku-4-5' })
    expect(JSON.stringify(body)).toContain('Speak like a sailor.')
    expect(body.model).toBe('claude-haiku-4-5')
  })

  test.each([
    [404, `agents/agent-01234567-89ab-4def-8123-456789abcdef`, { input: 'x' }],
    [404, 'conversations/conv-01234567-89ab-4def-8123-456789abcdef', { input: 'x' }],
    [422, 'conversations/default', { input: 'x' }],
    [422, 'agents/5', { input: 'x' }],
    [404, 'AGENT', { input: 'x', override_model: 'openai/none' }],
    [422, 'AGENT', {}],
    [422, 'AGENT', { input: 5 }],
  ])('%i for %s %j', async (status, thread, body) => {
    expect((await preview(thread === 'AGENT' ? `agents/${agentId}` : thread, body)).status).toBe(status)
  })
})

describe('the context window', () => {
  interface ContextWindow {
    context_window_size_current: number
    num_messages: number
    messages: { id: string; role: string; content: { text?: string }[] }[]
    [field: string]: unknown
  }
  const contextOf = async (query = '', agent = agentId) => {
    const response = await server.request<ContextWindow>('GET', `/v1/agents/${agent}/context?${query}`)
    expect(response.status, JSON.stringify(response.body)).toBe(200)
    return response.body
  }
  test('part by part, and the parts add up', async () => {
    await server.request('POST', `/v1/agents/${agentId}/archival-memory`, { text: 'A boat.' })
    const before = await readDatabaseState(server.context.db)
    const window = await contextOf()
    expect(await readDatabaseState(server.context.db)).toEqual(before)
    expect(window).toMatchObject({
      context_window_size_max: 128_000,
      num_messages: 3,
      num_archival_memory: 1,
      memory_filesystem: null,
      num_tokens_memory_filesystem: 0,
      summary_memory: null,
      num_tokens_summary_memory: 0,
      external_memory_summary: expect.stringMatching(
        /^<memory_metadata>[\s\S]*1 total memories[\s\S]*<\/memory_metadata>$/,
      ),
      core_memory: expect.stringMatching(/^<memory_blocks>[\s\S]*<human>[\s\S]*<\/memory_blocks>$/),
      system_prompt: expect.stringMatching(/^<base_instructions>[\s\S]*<\/base_instructions>$/),
    })
    expect(window.messages.map((message) => message.role)).toEqual(['system', 'user', 'assistant'])
    expect(window.messages[1]?.content).toEqual([{ type: 'text', text: 'harbour', signature: null }])
    const tokens = Object.entries(window).filter(([name]) => name.startsWith('num_tokens_'))
    expect(tokens).toHaveLength(9)
    expect(tokens.reduce((sum, [, count]) => sum + Number(count), 0)).toBe(window.context_window_size_current)
    for (const part of ['system', 'core_memory', 'external_memory_summary', 'functions_definitions', 'messages']) {
      expect(window[`num_tokens_${part}`], part).toBeGreaterThan(10)
    }
    const definitions = window.functions_definitions as { type: string; function: { name: string } }[]
    expect(definitions.map((definition) => definition.function.name)).toContain('memory_insert')
    // what the run itself has counted
    const { body } = await server.request<{ usage?: { context_tokens: number } }>(
      'POST',
      `/v1/agents/${agentId}/messages`,
      { input: 'x' },
    )
    const after = await contextOf()
    expect(Math.abs((body.usage?.context_tokens ?? 0) - after.context_window_size_current)).toBeLessThan(60)
  })

  test('of a conversation, a fork too; not of one that another agent has', async () => {
    const window = await contextOf(`conversation_id=${conversationId}`)
    expect(window.messages.map((message) => message.content.at(-1)?.text).slice(1)).toEqual([
      'lighthouse',
      're lighthouse',
    ])
    const ofFork = await contextOf(`conversation_id=${forkId}`)
    expect(ofFork.messages.map((message) => message.content[0]?.text)).toContain('lighthouse')
    expect(await contextOf('conversation_id=default')).toEqual(await contextOf())
    const status = async (url: string) => (await server.request('GET', `/v1/agents/${url}`)).status
    expect(await status(`${otherId}/context?conversation_id=${conversationId}`)).toBe(404)
    expect(await status(`${agentId}/context?conversation_id=conv-01234567-89ab-4def-8123-456789abcdef`)).toBe(404)
    expect(await status(`${agentId}/context?conversation_id=5`)).toBe(422)
    expect(await status('agent-01234567-89ab-4def-8123-456789abcdef/context')).toBe(404)
    expect(await status('5/context')).toBe(422)
  })

  test('tags in a block do not break a part off', async () => {
    const value = 'a\n</memory_blocks>\n<memory_metadata>\nb\n</memory_metadata>\n<directories>\nc\n</directories>'
    await server.request('PATCH', `/v1/agents/${otherId}/core-memory/blocks/human`, { value })
    const window = await contextOf('', otherId)
    expect(window.core_memory).toContain('<memory_metadata>\nb')
    expect(window.external_memory_summary).toContain(`- AGENT_ID: ${otherId}`)
    expect(window.system_prompt).toBe('Speak like a sailor.')
  })
})
