import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { findBrokenInvariants } from '../support/database-state.ts'
import { lastUserText, type Script, scriptedModel } from '../support/scripted-model.ts'
import { startTestServer, type TestServer } from '../support/test-server.ts'

interface Conversation {
  id: string
  agent_id: string
  summary: string | null
  model: string | null
  model_settings: object | null
  in_context_message_ids: string[]
  isolated_block_ids: string[]
  last_message_at: string | null
  archived: boolean
  [field: string]: unknown
}
interface Message {
  id: string
  message_type: string
  content?: string
  tool_return?: string
}
interface Block {
  id: string
  label: string
  value: string
}
interface Answer {
  messages: Message[]
  detail?: string
  run_id?: string
}

const UNKNOWN = 'conv-01234567-89ab-4def-8123-456789abcdef'
const PATIENCE = { timeout: 15_000 }

let gate = Promise.resolve()
/** Does what it is told: `remember X` edits the block `human`, `tool {…}` calls `memory`, `wait` waits; anything else is echoed. */
const script: Script = async (request) => {
  if (request.messages.at(-1)?.role === 'tool') return { text: 'done' }
  const said = lastUserText(request)
  if (said.includes('<conversation>')) return { text: 'They spoke of Zanzibar.' }
  if (said.startsWith('wait'))
    await Promise.race([gate, new Promise((r) => request.signal.addEventListener('abort', r))])
  if (said.startsWith('remember ')) {
    const args = { label: 'human', new_string: said.slice('remember '.length) }
    return { toolCalls: [{ name: 'memory_insert', arguments: args }] }
  }
  if (said.startsWith('tool ')) return { toolCalls: [{ name: 'memory', arguments: said.slice('tool '.length) }] }
  return { reasoning: 'hm', text: `re ${said}` }
}
const { registry, requests } = scriptedModel(script)

let server: TestServer
let agentId: string
beforeAll(async () => {
  server = await startTestServer({ models: registry, config: { globalMaxContextWindow: 1_000_000 } })
})
afterAll(async () => {
  expect(await findBrokenInvariants(server.context.db)).toEqual([])
  await server.close()
})
beforeEach(async () => {
  agentId = (await newAgent()).id
  requests.length = 0
})

async function newAgent(body: object = {}): Promise<{ id: string; blocks: Block[] }> {
  const response = await server.request<{ id: string; blocks: Block[] }>('POST', '/v1/agents/', {
    model: 'openai/gpt-4o-mini',
    memory_blocks: [
      { label: 'human', value: 'Ann' },
      { label: 'persona', value: 'I am Ada.' },
    ],
    tools: ['memory', 'memory_insert'],
    ...body,
  })
  expect(response.status).toBe(200)
  return response.body
}

async function create(body: object = {}, agent = agentId): Promise<Conversation> {
  const response = await server.request<Conversation>('POST', `/v1/conversations/?agent_id=${agent}`, body)
  expect(response.status, JSON.stringify(response.body)).toBe(200)
  return response.body
}
const retrieve = async (id: string) => (await server.request<Conversation>('GET', `/v1/conversations/${id}`)).body
const list = async (query = '') =>
  (await server.request<Conversation[]>('GET', `/v1/conversations/?agent_id=${agentId}&${query}`)).body
const ids = async (query = '') => (await list(query)).map((conversation) => conversation.id)
const messagesOf = async (id: string, query = 'order=asc') =>
  (await server.request<Message[]>('GET', `/v1/conversations/${id}/messages?${query}`)).body
const say = async (id: string, text: string, more: object = {}) => {
  const body = { messages: [{ role: 'user', content: text }], streaming: false, ...more }
  const response = await server.request<Answer>('POST', `/v1/conversations/${id}/messages`, body)
  expect(response.status, JSON.stringify(response.body)).toBe(200)
  return response.body
}
const sayToAgent = async (text: string) => {
  const body = { input: text }
  expect((await server.request('POST', `/v1/agents/${agentId}/messages`, body)).status).toBe(200)
}
const fork = async (id: string, query = '') => {
  const response = await server.request<Conversation>('POST', `/v1/conversations/${id}/fork?${query}`)
  expect(response.status, JSON.stringify(response.body)).toBe(200)
  return response.body
}
const remove = (id: string) => server.request('DELETE', `/v1/conversations/${id}`)
const texts = (messages: Message[]) => messages.flatMap(({ content }) => (typeof content === 'string' ? [content] : []))
const saidIn = async (id: string) => texts((await messagesOf(id)).slice(1))
const promptOf = async (id: string) => (await messagesOf(id))[0]?.content ?? ''
const blockOf = async (id: string) => (await server.request<Block>('GET', `/v1/blocks/${id}`)).body

describe('create, retrieve, update', () => {
  test('a new conversation has its own system message in context, and nothing else', async () => {
    const conversation = await create({ summary: 'About boats', description: 'd' })
    expect(conversation).toEqual({
      id: expect.stringMatching(/^conv-/),
      agent_id: agentId,
      summary: 'About boats',
      description: 'd',
      in_context_message_ids: [expect.stringMatching(/^message-/)],
      isolated_block_ids: [],
      model: null,
      model_settings: null,
      context_window_limit: null,
      archived: false,
      archived_at: null,
      last_message_at: null,
      created_at: expect.any(String),
      updated_at: expect.any(String),
      created_by_id: 'user-00000000-0000-4000-8000-000000000000',
      last_updated_by_id: 'user-00000000-0000-4000-8000-000000000000',
    })
    expect(await retrieve(conversation.id)).toEqual(conversation)
    const [system, ...more] = await messagesOf(conversation.id)
    expect(more).toEqual([])
    expect(system).toMatchObject({ id: conversation.in_context_message_ids[0], message_type: 'system_message' })
    expect(system?.content).toContain('Ann')
    expect(system?.content).toContain(`CONVERSATION_ID: ${conversation.id}`)
  })

  test('fields change, stay and are cleared', async () => {
    const settings = { provider_type: 'openai', temperature: 0.2 }
    const { id } = await create({ summary: 's', model: 'anthropic/claude-haiku-4-5', model_settings: settings })
    const patch = (body: object) => server.request<Conversation>('PATCH', `/v1/conversations/${id}`, body)
    const time = '2031-02-03T04:05:06.000Z'
    const changed = (await patch({ last_message_at: time, context_window_limit: 50_000, archived: true })).body
    expect(changed).toMatchObject({
      summary: 's',
      model: 'anthropic/claude-haiku-4-5',
      model_settings: settings,
      context_window_limit: 50_000,
      last_message_at: time,
      archived: true,
      archived_at: expect.any(String),
    })
    const all = { summary: null, model: null, model_settings: null, last_message_at: null, context_window_limit: null }
    const cleared = (await patch({ ...all, archived: null })).body
    expect(cleared).toMatchObject({ ...all, archived: false, archived_at: null })
    expect(await retrieve(id)).toEqual(cleared)
    expect((await patch({})).body).toMatchObject({ summary: null })
  })

  test.each([
    [404, { model: 'openai/none' }],
    [400, { model: 'none' }],
    [400, { context_window_limit: 200_000 }],
    [422, { summary: 5 }],
    [422, { model_settings: 'x' }],
    [422, { context_window_limit: 'many' }],
  ])('%i for %j', async (status, body) => {
    const { id } = await create()
    expect((await server.request('PATCH', `/v1/conversations/${id}`, body)).status).toBe(status)
    expect((await server.request('POST', `/v1/conversations/?agent_id=${agentId}`, body)).status).toBe(status)
    expect(await list()).toHaveLength(1)
  })

  test('what else a request holds changes nothing', async () => {
    const { id, ...before } = await create()
    const other = (await newAgent()).id
    const body = {
      id: UNKNOWN,
      agent_id: other,
      is_default: true,
      deleted_at: '2020-01-01',
      hidden: true,
      system_prompt: '',
      a: 1,
    }
    const { body: after } = await server.request<Conversation>('PATCH', `/v1/conversations/${id}`, body)
    expect({ ...after, updated_at: null }).toEqual({ id, ...before, updated_at: null })
    expect(await ids()).toEqual([id])
  })

  test('an agent that is not there, and one that is not named', async () => {
    const unknown = agentId.replace(/....$/, '0000')
    expect((await server.request('POST', `/v1/conversations/?agent_id=${unknown}`, {})).status).toBe(404)
    expect((await server.request('POST', '/v1/conversations/', {})).status).toBe(422)
    expect((await server.request('POST', '/v1/conversations/?agent_id=agent-1', {})).status).toBe(422)
    expect((await server.request('PATCH', `/v1/conversations/${UNKNOWN}`, { last_message_at: 'soon' })).status).toBe(
      422,
    )
  })
})

describe('list', () => {
  test('newest first, in pages, of one agent; default conversations are not listed', async () => {
    await sayToAgent('hello')
    const created = []
    for (let n = 0; n < 3; n += 1) created.push((await create({ summary: `Trip ${n}` })).id)
    await create({ hidden: true })
    await create({}, (await newAgent()).id)
    expect(await ids()).toEqual(created.toReversed())
    expect(await ids('order=asc&limit=2')).toEqual(created.slice(0, 2))
    expect(await ids(`order=asc&after=${created[1]}`)).toEqual(created.slice(2))
    expect(await ids(`limit=1&after=${created[2]}`)).toEqual([created[1]])
    expect(await ids('summary_search=rip%201')).toEqual([created[1]])
    expect(await ids('summary_search=trip')).toEqual([])
    expect(await ids('summary_search=%25')).toEqual([])
    expect((await server.request('GET', `/v1/conversations/?after=${UNKNOWN}`)).status).toBe(404)
    const everywhere = await server.request<Conversation[]>('GET', '/v1/conversations/?limit=1000')
    expect(everywhere.body.length).toBeGreaterThan(3)
  })

  test('by the last message and by the last run; those without come last both ways', async () => {
    const [silent, first, second] = [await create(), await create(), await create()].map(({ id }) => id) as [
      string,
      string,
      string,
    ]
    await say(second, 'a')
    await say(first, 'b')
    for (const order of ['last_message_at', 'last_run_completion']) {
      expect(await ids(`order_by=${order}`)).toEqual([first, second, silent])
      expect(await ids(`order_by=${order}&order=asc`)).toEqual([second, first, silent])
      expect(await ids(`order_by=${order}&after=${first}`)).toEqual([second, silent])
    }
    await server.request('PATCH', `/v1/conversations/${silent}`, { last_message_at: '2040-01-01T00:00:00Z' })
    expect(await ids('order_by=last_message_at')).toEqual([silent, first, second])
  })

  test('archived ones only where they are asked for', async () => {
    const [one, other] = [(await create()).id, (await create()).id]
    await server.request('PATCH', `/v1/conversations/${one}`, { archived: true })
    expect(await ids()).toEqual([other])
    expect(await ids('archive_status=archived')).toEqual([one])
    expect(await ids('archive_status=all')).toEqual([other, one])
  })
})

describe('messages', () => {
  test('a turn in a conversation is not heard in others, and not in the default one', async () => {
    const [one, other] = [await create(), await create()]
    const answer = await say(one.id, 'hello')
    expect(answer.messages.map((message) => message.message_type)).toEqual(['reasoning_message', 'assistant_message'])
    await say(other.id, 'good evening')
    await sayToAgent('good night')
    expect(texts(await messagesOf(one.id)).slice(1)).toEqual(['hello', 're hello'])
    expect(requests.map(lastUserText)).toEqual(['hello', 'good evening', 'good night'])
    expect(requests.map((request) => request.messages.length)).toEqual([2, 2, 2])
    expect((await retrieve(one.id)).in_context_message_ids).toHaveLength(3)
    expect((await retrieve(one.id)).last_message_at).not.toBeNull()
    const { body: run } = await server.request<{ conversation_id: string }[]>(
      'GET',
      `/v1/runs/?conversation_id=${one.id}`,
    )
    expect(run.map((each) => each.conversation_id)).toEqual([one.id])
  })

  test('asc is oldest first and desc newest first; cursors are positions; unknown ones are ignored', async () => {
    const { id } = await create()
    await say(id, 'one')
    await say(id, 'two')
    const asc = await messagesOf(id)
    const rows = [...new Set(asc.map((message) => message.id))]
    expect(asc.map((message) => message.message_type)).toEqual([
      'system_message',
      ...[
        'user_message',
        'reasoning_message',
        'assistant_message',
        'user_message',
        'reasoning_message',
        'assistant_message',
      ],
    ])
    expect(await messagesOf(id, '')).toEqual(asc.toReversed())
    const idsOf = async (query: string) => [...new Set((await messagesOf(id, query)).map((message) => message.id))]
    expect(await idsOf('limit=1')).toEqual(rows.slice(-1))
    expect(await idsOf('order=asc&limit=1')).toEqual(rows.slice(0, 1))
    for (const order of ['asc', 'desc']) {
      const ordered = (some: string[]) => (order === 'asc' ? some : some.toReversed())
      expect(await idsOf(`order=${order}&before=${rows[2]}`)).toEqual(ordered(rows.slice(0, 2)))
      expect(await idsOf(`order=${order}&after=${rows[2]}`)).toEqual(ordered(rows.slice(3)))
      expect(await idsOf(`order=${order}&after=${rows[0]}`)).toEqual(ordered(rows.slice(1)))
      expect(await idsOf(`order=${order}&before=${rows[0]}`)).toEqual([])
      expect(await idsOf(`order=${order}&after=${UNKNOWN}`)).toEqual(ordered(rows))
    }
    expect(await idsOf(`after=${rows[0]}&before=${rows[3]}&limit=1`)).toEqual([rows[2]])
    const users = 'include_return_message_types=user_message'
    expect(texts(await messagesOf(id, `${users}&limit=2`))).toEqual(['two', 'one'])
    expect(await messagesOf(id, 'include_return_message_types=event_message')).toEqual([])
  })

  test('the default conversation by `default` and by the id of its agent', async () => {
    await say('default', 'hello', { agent_id: agentId })
    await say(agentId, 'again')
    const byAgent = await messagesOf(agentId)
    expect(texts(byAgent).slice(1)).toEqual(['hello', 're hello', 'again', 're again'])
    expect(await messagesOf('default', `order=asc&agent_id=${agentId}`)).toEqual(byAgent)
    expect((await server.request('GET', '/v1/conversations/default/messages')).status).toBe(422)
    const unknown = agentId.replace(/....$/, '0000')
    expect((await server.request('GET', `/v1/conversations/default/messages?agent_id=${unknown}`)).status).toBe(404)
    expect((await server.request('POST', `/v1/conversations/${unknown}/messages`, { input: 'x' })).status).toBe(404)
  })

  test('a stream unless told otherwise', async () => {
    const { id } = await create()
    const response = await server.request('POST', `/v1/conversations/${id}/messages`, { input: 'hello' })
    expect(response.headers['content-type']).toBe('text/event-stream')
    expect(String(response.body)).toContain('re hello')
    expect(String(response.body)).toMatch(/data: \[DONE\]\n\n$/)
    const plain = { input: 'x', streaming: false, background: true }
    expect((await server.request('POST', `/v1/conversations/${id}/messages`, plain)).status).toBe(422)
    expect((await server.request('POST', `/v1/conversations/${UNKNOWN}/messages`, { input: 'x' })).status).toBe(404)
    expect((await server.request('POST', '/v1/conversations/conv-1/messages', { input: 'x' })).status).toBe(422)
    expect((await server.request('POST', `/v1/conversations/${id}/messages`, { streaming: false })).status).toBe(422)
  })

  test('who sends while a run is at work is refused; other conversations of the agent go on', async () => {
    const opened = Promise.withResolvers<void>()
    gate = opened.promise
    const [busy, free] = [await create(), await create()]
    const first = say(busy.id, 'wait')
    await expect.poll(() => requests.length, PATIENCE).toBe(1)
    const refused = await server.request<Answer>('POST', `/v1/conversations/${busy.id}/messages`, { input: 'x' })
    expect(refused.status).toBe(409)
    const [run] = (await server.request<{ id: string }[]>('GET', `/v1/runs/?conversation_id=${busy.id}`)).body
    expect(refused.body).toMatchObject({ detail: expect.stringMatching(/^CONFLICT: /), run_id: run?.id })
    expect(texts((await say(free.id, 'and you?')).messages)).toEqual(['re and you?'])
    const queued = say(busy.id, 'later', { on_busy: 'queue' })
    opened.resolve()
    expect(texts((await first).messages)).toEqual(['re wait'])
    expect(texts((await queued).messages)).toEqual(['re later'])
  })

  test('a message that comes again under its otid is answered once, in the foreground too, on both endpoints', async () => {
    const { id } = await create()
    const urls = [`/v1/conversations/${id}/messages`, `/v1/agents/${agentId}/messages`]
    for (const [index, url] of urls.entries()) {
      const body = { messages: [{ role: 'user', content: 'once', otid: `o-${index}` }], streaming: false }
      const first = await server.request<Answer>('POST', url, body)
      const again = await server.request<Answer>('POST', url, body)
      expect(again.body).toEqual(first.body)
      expect(again.headers['idempotency-replayed']).toBe('true')
      const stream = await server.request('POST', url, { ...body, streaming: true })
      expect(String(stream.body)).toContain(first.body.messages[0]?.id)
      expect(requests).toHaveLength(index + 1)
    }
    // the same otid in another conversation is another message
    const other = await create()
    await say(other.id, 'once', { messages: [{ role: 'user', content: 'once', otid: 'o-0' }] })
    expect(requests).toHaveLength(3)
  })

  test('a run is streamed again by its id, by an otid, and while it works', async () => {
    const { id } = await create()
    await say(id, 'x', { messages: [{ role: 'user', content: 'hello', otid: 'o-9' }] })
    const resume = (body: object) => server.request<Answer>('POST', `/v1/conversations/${id}/stream`, body)
    expect(String((await resume({ otid: 'o-9' })).body)).toContain('re hello')
    expect(await resume({})).toMatchObject({
      status: 400,
      body: { detail: 'No active runs found for this conversation.' },
    })
    const opened = Promise.withResolvers<void>()
    gate = opened.promise
    const first = say(id, 'wait here')
    await expect.poll(() => requests.length, PATIENCE).toBe(2)
    const resumed = resume({})
    await expect.poll(() => server.context.runs.streams.followerCount, PATIENCE).toBe(2)
    opened.resolve()
    await first
    expect(String((await resumed).body)).toContain('re wait here')
  })

  test('cancel ends what works and what waits; nothing to cancel is a conflict', async () => {
    gate = new Promise(() => {})
    const { id } = await create()
    const running = say(id, 'wait')
    await expect.poll(() => requests.length, PATIENCE).toBe(1)
    const waiting = say(id, 'next', { on_busy: 'queue' })
    await expect
      .poll(
        async () => (await server.request<object[]>('GET', `/v1/runs/?conversation_id=${id}`)).body.length,
        PATIENCE,
      )
      .toBe(2)
    const cancelled = await server.request<Record<string, string>>('POST', `/v1/conversations/${id}/cancel`)
    expect(Object.values(cancelled.body)).toEqual(['cancelled', 'cancelled'])
    expect((await running).messages).toEqual([])
    expect((await waiting).messages).toEqual([])
    const nothing = await server.request('POST', `/v1/conversations/default/cancel?agent_id=${agentId}`)
    expect([nothing.status, nothing.headers['x-should-retry']]).toEqual([409, 'false'])
  })
})

describe('models', () => {
  const asked = () => requests.length
  test('the request before the conversation before the agent', async () => {
    const settings = { provider_type: 'anthropic', temperature: 0.1 }
    const { id } = await create({ model: 'anthropic/claude-haiku-4-5', model_settings: settings })
    await say(id, 'one')
    await say(id, 'two', { override_model: 'openai/gpt-4o-mini' })
    await server.request('PATCH', `/v1/conversations/${id}`, { model: null })
    await say(id, 'three')
    expect(asked()).toBe(3)
    expect(requests[0]?.settings.temperature).toBe(0.1)
    const { body: steps } = await server.request<{ model_handle: string; context_window_limit: number }[]>(
      'GET',
      `/v1/steps/?agent_id=${agentId}`,
    )
    expect(steps.map((step) => step.model_handle).toReversed()).toEqual([
      'anthropic/claude-haiku-4-5',
      'openai/gpt-4o-mini',
      'openai/gpt-4o-mini',
    ])
    // Haiku has 200 000, but the agent's model only these
    expect(steps.at(-1)?.context_window_limit).toBe(128_000)
  })

  test("a conversation's own limit of tokens stands for the agent's", async () => {
    const agent = await newAgent({ context_window_limit: 30_000 })
    const [plain, own] = [await create({}, agent.id), await create({ context_window_limit: 20_000 }, agent.id)]
    const sizeOf = async (id: string) =>
      (
        await server.request<{ context_window_size_max: number }>(
          'GET',
          `/v1/agents/${agent.id}/context?conversation_id=${id}`,
        )
      ).body.context_window_size_max
    expect([await sizeOf(plain.id), await sizeOf(own.id)]).toEqual([30_000, 20_000])
  })
})

describe('memory', () => {
  test('an edit in one conversation is in the prompt of the others at their next turn, and in its own', async () => {
    const [one, other] = [await create(), await create()]
    await say(one.id, 'remember likes boats')
    await say(one.id, 'hello')
    await say(other.id, 'hello')
    for (const { id } of [one, other]) expect(await promptOf(id)).toContain('likes boats')
    expect(requests.at(-1)?.messages[0]).toMatchObject({ text: await promptOf(other.id) })
  })

  test('a copy of a block is edited where it is, and nowhere else', async () => {
    const [isolated, shared] = [await create({ isolated_block_labels: ['human'] }), await create()]
    expect(isolated.isolated_block_ids).toHaveLength(1)
    const copyId = isolated.isolated_block_ids[0] ?? ''
    expect(await blockOf(copyId)).toMatchObject({ label: 'human', value: 'Ann' })
    await say(isolated.id, 'remember a secret')
    await say(shared.id, 'remember no secret')
    expect((await blockOf(copyId)).value).toContain('a secret')
    const original = await server.request<Block>('GET', `/v1/agents/${agentId}/core-memory/blocks/human`)
    expect(original.body.value).toContain('no secret')
    expect(original.body.value).not.toContain('a secret')
    await say(isolated.id, 'hello')
    await say(shared.id, 'hello')
    expect(await promptOf(isolated.id)).toContain('a secret')
    expect(await promptOf(isolated.id)).not.toContain('no secret')
    expect(await promptOf(isolated.id)).toContain('I am Ada.')
    expect(await promptOf(shared.id)).not.toContain('a secret')
  })

  test('a copy that is renamed or put away does not let the original appear; one that is made anew is its own', async () => {
    const { id, isolated_block_ids } = await create({ isolated_block_labels: ['human', 'persona'] })
    const memory = (args: object) => say(id, `tool ${JSON.stringify(args)}`)
    await memory({ command: 'rename', old_path: '/memories/human', new_path: '/memories/person' })
    await memory({ command: 'delete', path: '/memories/persona' })
    await say(id, 'hello')
    expect(await promptOf(id)).toContain('<person>')
    expect(await promptOf(id)).not.toContain('<human>')
    expect(await promptOf(id)).not.toContain('I am Ada.')
    expect((await retrieve(id)).isolated_block_ids).toEqual([isolated_block_ids[0]])
    const created = await memory({
      command: 'create',
      path: '/memories/persona',
      description: 'x',
      file_text: 'I am Bea.',
    })
    expect(created.messages.map((message) => message.tool_return).join()).toContain('created')
    await say(id, 'hello')
    expect(await promptOf(id)).toContain('I am Bea.')
    expect((await retrieve(id)).isolated_block_ids).toHaveLength(2)
    // the agent's block of this label is not seen, but there
    await memory({ command: 'create', path: '/memories/human', description: 'x', file_text: 'Somebody else.' })
    await say(id, 'hello')
    expect(await promptOf(id)).toContain('Somebody else.')
    const { body } = await server.request<Block[]>('GET', `/v1/agents/${agentId}/core-memory/blocks`)
    expect(body.map(({ label, value }) => [label, value]).toSorted()).toEqual([
      ['human', 'Ann'],
      ['persona', 'I am Ada.'],
    ])
  })

  test('a label that the agent does not have is refused, and nothing is made', async () => {
    const refused = await server.request<Answer>('POST', `/v1/conversations/?agent_id=${agentId}`, {
      isolated_block_labels: ['human', 'plans'],
    })
    expect(refused).toMatchObject({ status: 400, body: { detail: expect.stringContaining("'plans'") } })
    expect(await list()).toEqual([])
  })

  test('blocks of its own go with a conversation, and with its agent', async () => {
    const [one, other] = [
      await create({ isolated_block_labels: ['human'] }),
      await create({ isolated_block_labels: ['human'] }),
    ]
    await remove(one.id)
    const statusOf = async (id = '') => (await server.request('GET', `/v1/blocks/${id}`)).status
    expect(await statusOf(one.isolated_block_ids[0])).toBe(404)
    expect(await statusOf(other.isolated_block_ids[0])).toBe(200)
    await server.request('DELETE', `/v1/agents/${agentId}`)
    expect(await statusOf(other.isolated_block_ids[0])).toBe(404)
  })

  test('recompile: dry, with the old time, and with a new one', async () => {
    const { id } = await create()
    const stored = await promptOf(id)
    await server.request('PATCH', `/v1/agents/${agentId}/core-memory/blocks/human`, { value: 'Bob' })
    const recompile = async (query: string, body?: object) => {
      const response = await server.request<string>('POST', `/v1/conversations/${id}/recompile?${query}`, body)
      expect(response.status).toBe(200)
      return response.body
    }
    const dry = await recompile('dry_run=true', { agent_id: agentId })
    expect(dry).toContain('Bob')
    expect(await promptOf(id)).toBe(stored)
    expect(await recompile('')).toBe(dry)
    expect(await promptOf(id)).toBe(dry)
    for (const path of ['recompile', 'system-prompt/recompile']) {
      const response = await server.request<string>('POST', `/v1/agents/${agentId}/${path}?update_timestamp=true`)
      expect(response.body).toContain('CONVERSATION_ID: default')
      expect(response.body).toBe(await promptOf(agentId))
    }
    const byDefault = await server.request<string>('POST', '/v1/conversations/default/recompile', { agent_id: agentId })
    expect(byDefault.body).toBe(await promptOf(agentId))
    expect((await server.request('POST', `/v1/conversations/${UNKNOWN}/recompile`)).status).toBe(404)
    expect((await server.request('POST', '/v1/conversations/default/recompile')).status).toBe(422)
  })
})

describe('fork', () => {
  test('shares what was said, the same messages, and goes on by itself', async () => {
    const source = await create({ summary: 's', model: 'anthropic/claude-haiku-4-5' })
    await say(source.id, 'one')
    const copy = await fork(source.id)
    expect(copy).toMatchObject({ summary: 's', model: 'anthropic/claude-haiku-4-5', last_message_at: null })
    expect(copy.in_context_message_ids.slice(1)).toEqual((await retrieve(source.id)).in_context_message_ids.slice(1))
    await say(source.id, 'two')
    await say(copy.id, 'three')
    const twice = await fork(copy.id)
    await say(twice.id, 'four')
    expect(await saidIn(source.id)).toEqual(['one', 're one', 'two', 're two'])
    expect(await saidIn(copy.id)).toEqual(['one', 're one', 'three', 're three'])
    expect(await saidIn(twice.id)).toEqual(['one', 're one', 'three', 're three', 'four', 're four'])
    expect((await messagesOf(twice.id))[0]).toMatchObject({
      id: twice.in_context_message_ids[0],
      message_type: 'system_message',
    })
    expect(texts(await messagesOf(twice.id, 'limit=3&order=desc'))).toEqual(['re four', 'four', 're three'])
    const asked = requests
      .at(-1)
      ?.messages.flatMap((message) =>
        'content' in message ? message.content.flatMap((part) => (part.type === 'text' ? [part.text] : [])) : [],
      )
    expect(asked).toEqual(['one', 're one', 'three', 're three', 'four'])
    const listed = await server.request<Message[]>('GET', `/v1/agents/${agentId}/messages?conversation_id=${twice.id}`)
    expect(listed.body).toEqual(await messagesOf(twice.id))
    const [, first] = await messagesOf(twice.id)
    expect(await saidIn((await fork(twice.id, `message_id=${first?.id}`)).id)).toEqual(['one'])
    // each message exists once
    const all = await server.request<Message[]>('GET', `/v1/agents/${agentId}/messages?limit=1000`)
    expect(texts(all.body).filter((text) => text === 're one')).toHaveLength(1)
  })

  test('of the default conversation, up to a message, hidden', async () => {
    await sayToAgent('one')
    await sayToAgent('two')
    const source = await messagesOf(agentId)
    const until = source.find((message) => message.content === 're one')?.id
    const copy = await fork('default', `agent_id=${agentId}&message_id=${until}&hidden=true`)
    expect(await saidIn(copy.id)).toEqual(['one', 're one'])
    expect(await ids()).toEqual([])
    expect(await saidIn((await fork(agentId)).id)).toEqual(['one', 're one', 'two', 're two'])
    const refused = (id: string, query: string) => server.request('POST', `/v1/conversations/${id}/fork?${query}`)
    const unknown = 'message-01234567-89ab-4def-8123-456789abcdef'
    expect((await refused('default', `agent_id=${agentId}&message_id=${unknown}`)).status).toBe(404)
    expect((await refused(copy.id, `message_id=${source.at(-1)?.id}`)).status).toBe(404)
    expect((await refused('default', `agent_id=${agentId}&message_id=5`)).status).toBe(422)
    expect((await refused('default', '')).status).toBe(422)
    expect((await refused(UNKNOWN, '')).status).toBe(404)
    expect(await list()).toHaveLength(1)
  })

  test('an empty one gives an empty one', async () => {
    const copy = await fork((await create()).id)
    expect(copy.in_context_message_ids).toHaveLength(1)
    await say(copy.id, 'hello')
    expect(await saidIn(copy.id)).toEqual(['hello', 're hello'])
  })

  test('it does not get the blocks that its source has of its own', async () => {
    const source = await create({ isolated_block_labels: ['human'] })
    await say(source.id, 'remember a secret')
    const copy = await fork(source.id)
    expect(copy.isolated_block_ids).toEqual([])
    expect(await promptOf(copy.id)).not.toContain('a secret')
  })

  test('while its source is at work it shares what is said so far', async () => {
    gate = new Promise(() => {})
    const source = await create()
    await say(source.id, 'one')
    const working = say(source.id, 'wait')
    await expect.poll(() => requests.length, PATIENCE).toBe(2)
    const copy = await fork(source.id)
    expect(await saidIn(copy.id)).toEqual(['one', 're one', 'wait'])
    await say(copy.id, 'two')
    await server.request('POST', `/v1/conversations/${source.id}/cancel`)
    await working
  })
})

describe('delete', () => {
  test('it is gone, and what was said in it too', async () => {
    const { id } = await create()
    await say(id, 'to be forgotten')
    const [, said] = await messagesOf(id)
    expect(await remove(id)).toMatchObject({ status: 200, body: null })
    expect((await remove(id)).status).toBe(404)
    expect((await server.request('GET', `/v1/conversations/${id}`)).status).toBe(404)
    expect((await server.request('GET', `/v1/conversations/${id}/messages`)).status).toBe(404)
    expect((await server.request('POST', `/v1/conversations/${id}/messages`, { input: 'x' })).status).toBe(404)
    expect((await server.request('POST', `/v1/conversations/${id}/fork`)).status).toBe(404)
    expect((await server.request('PATCH', `/v1/conversations/${id}`, {})).status).toBe(404)
    expect((await server.request('GET', `/v1/messages/${said?.id}`)).status).toBe(404)
    expect(await ids('archive_status=all')).toEqual([])
    expect((await remove(UNKNOWN)).status).toBe(404)
    expect((await remove('conv-1')).status).toBe(422)
    expect((await remove('default')).status).toBe(422)
  })

  test('what forks share stays as long as one of them does', async () => {
    const source = await create()
    await say(source.id, 'shared')
    const [one, other] = [await fork(source.id), await fork(source.id)]
    await say(source.id, 'not shared')
    const [, shared] = await messagesOf(source.id)
    const statusOf = async (id = '') => (await server.request('GET', `/v1/messages/${id}`)).status
    const unshared = (await messagesOf(source.id)).at(-1)
    await remove(source.id)
    expect([await statusOf(shared?.id), await statusOf(unshared?.id)]).toEqual([200, 404])
    await say(one.id, 'goes on')
    expect(await saidIn(one.id)).toEqual(['shared', 're shared', 'goes on', 're goes on'])
    const grandchild = await fork(one.id)
    await Promise.all([remove(one.id), remove(other.id)])
    expect(await saidIn(grandchild.id)).toEqual(['shared', 're shared', 'goes on', 're goes on'])
    await remove(grandchild.id)
    expect(await statusOf(shared?.id)).toBe(404)
  })

  test.each(['deleted', 'emptied'])(
    'a fork keeps the summary that it began with when its source is %s',
    async (way) => {
      const source = way === 'deleted' ? (await create()).id : agentId
      const sayThere = (text: string) => (way === 'deleted' ? say(source, text) : sayToAgent(text))
      for (let turn = 0; turn < 8; turn += 1) await sayThere(`turn ${turn}`)
      const compact = way === 'deleted' ? `/v1/conversations/${source}/compact` : `/v1/agents/${agentId}/summarize`
      expect((await server.request('POST', compact, {})).status).toBe(200)
      await sayThere('after the summary')
      const summaryId = (await messagesOf(source)).find((message) => message.message_type === 'summary_message')?.id
      const until = (await messagesOf(source)).find((message) => message.content === 're turn 7')?.id
      const early = await fork(source, `message_id=${until}`)
      const ofEarly = await fork(early.id, `message_id=${until}`)
      const late = await fork(source)
      // first what stands for all before, as the model reads it
      expect((await retrieve(late.id)).in_context_message_ids[1]).toBe(summaryId)
      expect((await retrieve(ofEarly.id)).in_context_message_ids[1]).not.toBe(summaryId)
      const gone =
        way === 'deleted'
          ? await remove(source)
          : await server.request('PATCH', `/v1/agents/${agentId}/reset-messages`, {})
      expect(gone.status).toBe(200)
      expect((await remove(early.id)).status).toBe(200)
      for (const copy of [ofEarly, late]) {
        await say(copy.id, 'what was it?')
        expect(JSON.stringify(requests.at(-1)?.messages[1])).toContain('Zanzibar')
      }
    },
  )

  test('a reset of the default conversation leaves its forks what they share', async () => {
    await sayToAgent('one')
    const copy = await fork(agentId)
    await sayToAgent('two')
    expect((await server.request('PATCH', `/v1/agents/${agentId}/reset-messages`, {})).status).toBe(200)
    expect(await saidIn(agentId)).toEqual([])
    await sayToAgent('three')
    expect(await saidIn(agentId)).toEqual(['three', 're three'])
    expect(requests.at(-1)?.messages).toHaveLength(2)
    expect(await saidIn(copy.id)).toEqual(['one', 're one'])
    await say(copy.id, 'four')
    expect(await saidIn(copy.id)).toEqual(['one', 're one', 'four', 're four'])
    await remove(copy.id)
    const all = await server.request<Message[]>('GET', `/v1/agents/${agentId}/messages`)
    expect(texts(all.body).slice(1)).toEqual(['three', 're three'])
  })

  test('what works and waits in it is cancelled', async () => {
    gate = new Promise(() => {})
    const { id } = await create()
    const working = say(id, 'wait')
    await expect.poll(() => requests.length, PATIENCE).toBe(1)
    const waiting = say(id, 'next', { on_busy: 'queue' })
    await expect
      .poll(
        async () => (await server.request<object[]>('GET', `/v1/runs/?conversation_id=${id}`)).body.length,
        PATIENCE,
      )
      .toBe(2)
    expect((await remove(id)).status).toBe(200)
    expect((await working).messages).toEqual([])
    expect((await waiting).messages).toEqual([])
    const { body: all } = await server.request<Message[]>('GET', `/v1/agents/${agentId}/messages`)
    expect(all.map((message) => message.message_type)).toEqual(['system_message'])
  })
})

test('another organisation sees nothing of it', async () => {
  const { headers } = await server.addOrganization()
  const { id } = await create()
  await say(id, 'private')
  const asked: [Parameters<TestServer['request']>[0], string, object?][] = [
    ['GET', `/v1/conversations/${id}`],
    ['PATCH', `/v1/conversations/${id}`, { summary: 'x' }],
    ['DELETE', `/v1/conversations/${id}`],
    ['POST', `/v1/conversations/${id}/fork`],
    ['POST', `/v1/conversations/default/fork?agent_id=${agentId}`],
    ['POST', `/v1/conversations/${id}/cancel`],
    ['POST', `/v1/conversations/${id}/recompile`],
    ['GET', `/v1/conversations/${id}/messages`],
    ['POST', `/v1/conversations/${id}/messages`, { input: 'x' }],
    ['POST', `/v1/conversations/${id}/messages/preview-raw-payload`, { input: 'x' }],
    ['POST', `/v1/conversations/${id}/stream`, {}],
    ['POST', `/v1/conversations/?agent_id=${agentId}`, {}],
    ['POST', `/v1/agents/${agentId}/recompile`],
    ['GET', `/v1/agents/${agentId}/context`],
  ]
  for (const [method, url, body] of asked) {
    const refused = await server.request<Answer>(method, url, body, headers)
    const unknownUrl = url.replace(id, UNKNOWN).replace(agentId, agentId.replace(/....$/, '0000'))
    const unknown = await server.request<Answer>(method, unknownUrl, body)
    expect([refused.status, refused.body.detail?.replace(id, '').replace(agentId, '')], `${method} ${url}`).toEqual([
      404,
      unknown.body.detail?.replace(UNKNOWN, '').replace(agentId.replace(/....$/, '0000'), ''),
    ])
  }
  expect((await server.request<object[]>('GET', '/v1/conversations/', undefined, headers)).body).toEqual([])
  expect(texts(await messagesOf(id))).toContain('private')
})
