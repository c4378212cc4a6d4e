import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ModelError } from '#llm/model.ts'
import { lastUserText, scriptedModel } from '../support/scripted-model.ts'
import { startTestServer, type TestServer } from '../support/test-server.ts'

const KEY = 'correct-horse-battery-staple'
const MODEL = 'openai/gpt-4o-mini'
const TOOLS = [
  'edit_block',
  'get_agent',
  'insert_memory',
  'list_agents',
  'list_blocks',
  'read_block',
  'search_memory',
  'send_message',
]
const NOBODY = 'agent-00000000-0000-4000-8000-000000000000'

const model = scriptedModel((request) => {
  const text = lastUserText(request)
  if (text === 'fail') return { error: new ModelError('rate_limit', 'The provider is busy.') }
  if (text === 'slow') return { text: 'Late.', delayMs: 700 }
  return { text: `You said: ${text}` }
})

let server: TestServer
let url: URL
let agentId: string
let client: Client
const admin = { authorization: `Bearer ${KEY}` }
beforeAll(async () => {
  server = await startTestServer({
    models: model.registry,
    config: { apiKey: KEY, corsOrigins: ['https://app.example.org'], maxBodyBytes: 100_000, keepaliveIntervalMs: 50 },
  })
  url = new URL('/mcp', await server.baseUrl())
  agentId = await newAgent('Ada')
  client = await connect()
})
afterAll(async () => {
  await client.close()
  await server.close()
})

const MEMORY = [{ label: 'human', value: 'Likes tea. Lives in Ulm.', description: 'The person', limit: 500 }]

async function newAgent(name: string, headers: Record<string, string> = admin): Promise<string> {
  const body = { name, model: MODEL, memory_blocks: MEMORY, tags: ['a-tag'] }
  return (await server.request<{ id: string }>('POST', '/v1/agents/', body, headers)).body.id
}

type Mode = 'legacy' | 'auto'

async function connect(headers: Record<string, string> = admin, mode: Mode = 'auto'): Promise<Client> {
  const made = new Client({ name: 'test', version: '1' }, { versionNegotiation: { mode } })
  await made.connect(new StreamableHTTPClientTransport(url, { requestInit: { headers } }))
  return made
}

interface Outcome {
  isError: boolean
  text: string
}

async function call(name: string, args: Record<string, unknown>, by = client): Promise<Outcome> {
  const result = await by.callTool({ name, arguments: args })
  const [first] = result.content as { type: string; text: string }[]
  return { isError: result.isError === true, text: first?.text ?? '' }
}

async function read<Value = Record<string, unknown>>(name: string, args: Record<string, unknown>, by = client) {
  const { isError, text } = await call(name, args, by)
  if (isError) throw new Error(text)
  return JSON.parse(text) as Value
}

const post = (body: unknown, headers: Record<string, string> = {}) =>
  fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...admin,
      ...headers,
    },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
const LIST = { jsonrpc: '2.0', id: 1, method: 'tools/list' }

describe.each<Mode>(['legacy', 'auto'])('a client of the official SDK (%s)', (mode) => {
  test('is told what there is, and calls it', async () => {
    await using own = Object.assign(await connect(admin, mode), { [Symbol.asyncDispose]: async () => own.close() })
    expect(own.getProtocolEra()).toBe(mode === 'auto' ? 'modern' : 'legacy')
    expect(own.getServerVersion()).toMatchObject({ name: 'perdure' })
    expect(own.getInstructions()).toContain('stateful')
    const { tools } = await own.listTools()
    expect(tools.map(({ name }) => name).toSorted()).toEqual(TOOLS)
    const listing = tools.find(({ name }) => name === 'list_agents')
    expect(listing).toMatchObject({
      inputSchema: { type: 'object', properties: { query: { type: 'string' } } },
      annotations: { readOnlyHint: true },
    })
    expect(await read('list_agents', { query: 'ADA' }, own)).toMatchObject([
      { id: agentId, name: 'Ada', tags: ['a-tag'] },
    ])
    expect(await call('send_message', { agent_id: agentId, text: 'hi' }, own)).toEqual({
      isError: false,
      text: 'You said: hi',
    })
  })
})

describe('reading', () => {
  test('agents', async () => {
    const other = await newAgent('Zoe')
    expect(await read<unknown[]>('list_agents', { limit: 1 })).toMatchObject([{ id: other, model: MODEL }])
    expect(await read('list_agents', { query: 'nobody' })).toEqual([])
    const agent = await read('get_agent', { agent_id: agentId })
    expect(agent).toMatchObject({ id: agentId, name: 'Ada', blocks: [{ label: 'human', characters: 24 }] })
    expect(JSON.stringify(agent)).not.toMatch(/secret|Likes tea/)
  })

  test('blocks', async () => {
    expect(await read('list_blocks', { agent_id: agentId })).toEqual([
      {
        id: expect.stringMatching(/^block-/),
        label: 'human',
        description: 'The person',
        characters: 24,
        limit: 500,
        read_only: false,
      },
    ])
    expect(await read('read_block', { agent_id: agentId, label: 'human' })).toMatchObject({
      value: 'Likes tea. Lives in Ulm.',
    })
  })

  test('memory: passages and what was said', async () => {
    const own = await newAgent('Rememberer')
    const inserted = await read('insert_memory', {
      agent_id: own,
      text: 'The boat is called Aurora.',
      tags: ['b', 'b'],
    })
    expect(inserted).toMatchObject({ id: expect.stringMatching(/^passage-/), tags: ['b'], is_duplicate: false })
    const again = await read('insert_memory', { agent_id: own, text: 'the boat is called aurora' })
    expect(again).toEqual({ ...inserted, is_duplicate: true })
    await call('send_message', { agent_id: own, text: 'Where is the boat?' })
    const found = await read('search_memory', { agent_id: own, query: 'boat' })
    expect(found).toMatchObject({
      passages: [{ id: inserted.id, text: 'The boat is called Aurora.' }],
      messages: expect.arrayContaining([expect.objectContaining({ role: 'user', text: 'Where is the boat?' })]),
    })
    const rest = await server.request<unknown[]>('GET', `/v1/agents/${own}/archival-memory`, undefined, admin)
    expect(rest.body).toHaveLength(1)
    const none = { passages: [], messages: [] }
    expect(await read('search_memory', { agent_id: own, query: 'submarine' })).toEqual(none)
  })
})

describe('writing', () => {
  test('a piece of a block, and all of it, with the author in its history and the prompt of the agent anew', async () => {
    const own = await newAgent('Edited')
    const label = 'human'
    await read('edit_block', { agent_id: own, label, old_string: 'tea', new_string: 'coffee' })
    expect(await read('read_block', { agent_id: own, label })).toMatchObject({ value: 'Likes coffee. Lives in Ulm.' })
    await call('send_message', { agent_id: own, text: 'look' })
    expect(JSON.stringify(model.requests.at(-1)?.messages[0])).toContain('Likes coffee')
    expect(await read('edit_block', { agent_id: own, label, value: 'New.' })).toMatchObject({ value: 'New.' })
    const rest = await server.request(`GET`, `/v1/agents/${own}/core-memory/blocks/human`, undefined, admin)
    expect(rest.body).toMatchObject({ value: 'New.' })
  })

  test.each([
    [{ old_string: 'nothing', new_string: 'x' }, 'did not appear verbatim'],
    [{ old_string: 'i', new_string: 'x' }, 'Multiple occurrences'],
    [{ old_string: 'tea' }, 'either value, or old_string and new_string'],
    [{ value: 'x', old_string: 'tea', new_string: 'y' }, 'either value, or old_string and new_string'],
    [{}, 'either value'],
    [{ value: 'x'.repeat(501) }, '500'],
  ])('%j is refused and changes nothing', async (edit, expected) => {
    const refused = await call('edit_block', { agent_id: agentId, label: 'human', ...edit })
    expect(refused).toEqual({ isError: true, text: expect.stringContaining(expected) })
    expect(await read('read_block', { agent_id: agentId, label: 'human' })).toMatchObject({
      value: 'Likes tea. Lives in Ulm.',
    })
  })

  test('many edits at once are all there in the end', async () => {
    const own = await newAgent('Busy')
    const label = 'human'
    const markers = Array.from({ length: 8 }, (_, index) => `<${index}>`)
    await call('edit_block', { agent_id: own, label, value: markers.join('') })
    const edits = markers.map((old_string, index) =>
      call('edit_block', { agent_id: own, label, old_string, new_string: `[done ${index}]` }),
    )
    expect((await Promise.all(edits)).filter(({ isError }) => isError)).toEqual([])
    const { value } = await read<{ value: string }>('read_block', { agent_id: own, label })
    expect(value).toBe(markers.map((_, index) => `[done ${index}]`).join(''))
  })
})

describe('messages', () => {
  test('at once to several agents are answered each by its own', async () => {
    const agents = await Promise.all(['p1', 'p2', 'p3', 'p4'].map((name) => newAgent(name)))
    const said = await Promise.all(
      agents.map((id, index) => call('send_message', { agent_id: id, text: `to ${index}` })),
    )
    expect(said.map(({ text }) => text)).toEqual(agents.map((_, index) => `You said: to ${index}`))
  })

  test('with the same message_id are said once', async () => {
    const own = await newAgent('Once')
    const before = model.requests.length
    const message = { agent_id: own, text: 'only once', message_id: 'my-own-id' }
    const first = await call('send_message', message)
    expect(first).toEqual({ isError: false, text: 'You said: only once' })
    expect(await call('send_message', message)).toEqual(first)
    expect(model.requests.length).toBe(before + 1)
  })

  test('go on when the client has gone', async () => {
    const own = await newAgent('Patient')
    const controller = new AbortController()
    const gone = client.callTool(
      { name: 'send_message', arguments: { agent_id: own, text: 'slow' } },
      { signal: controller.signal },
    )
    const runs = async () =>
      (await server.request<{ status: string }[]>('GET', `/v1/runs/?agent_id=${own}`, undefined, admin)).body
    await expect.poll(async () => (await runs()).length).toBe(1)
    controller.abort()
    await expect(gone).rejects.toThrow()
    await expect.poll(async () => (await runs())[0]?.status, { timeout: 10_000 }).toBe('completed')
  })

  test.each<Mode>(['legacy', 'auto'])(
    'that take long are told to be at work, where the client asks (%s)',
    async (mode) => {
      const own = await connect(admin, mode)
      const told: number[] = []
      const result = await own.callTool(
        { name: 'send_message', arguments: { agent_id: agentId, text: 'slow' } },
        { onprogress: ({ progress }) => void told.push(progress), timeout: 20_000 },
      )
      expect(result.content).toMatchObject([{ text: 'Late.' }])
      expect(told.length).toBeGreaterThan(2)
      expect(told).toEqual(told.map((_, index) => index + 1))
      await own.close()
    },
  )

  test('that the provider refuses are told', async () => {
    expect(await call('send_message', { agent_id: agentId, text: 'fail' })).toEqual({
      isError: true,
      text: expect.stringContaining('The provider is busy.'),
    })
  })
})

describe('invalid input', () => {
  test.each<[string, Record<string, unknown>, string]>([
    ['get_agent', { agent_id: NOBODY }, 'no agent'],
    ['send_message', { agent_id: NOBODY, text: 'x' }, NOBODY],
    ['search_memory', { agent_id: NOBODY, query: 'x' }, 'no agent'],
    ['list_blocks', { agent_id: NOBODY }, 'no agent'],
    ['insert_memory', { agent_id: NOBODY, text: 'x' }, NOBODY],
    ['read_block', { agent_id: NOBODY, label: 'human' }, NOBODY],
    ['insert_memory', { agent_id: 'MINE', text: '   ' }, 'empty'],
    ['insert_memory', { agent_id: 'MINE', text: 'x'.repeat(40_000) }, '8192'],
    ['send_message', { agent_id: 'MINE', text: '  ' }, 'empty'],
    ['read_block', { agent_id: 'MINE', label: 'nothing' }, 'nothing'],
  ])('%s %j is a tool error that says why', async (name, args, expected) => {
    const known = args.agent_id === 'MINE' ? { ...args, agent_id: agentId } : args
    expect(await call(name, known)).toEqual({ isError: true, text: expect.stringContaining(expected) })
  })

  test.each<[string, Record<string, unknown>]>([
    ['get_agent', {}],
    ['get_agent', { agent_id: 'agent-1' }],
    ['get_agent', { agent_id: 5 }],
    ['get_agent', { agent_id: "agent-'; drop table agents; --" }],
    ['list_agents', { limit: 0 }],
    ['list_agents', { limit: 100_000 }],
    ['send_message', { agent_id: NOBODY, text: { a: 1 } }],
    ['search_memory', { agent_id: NOBODY }],
  ])('%s %j does not fit the schema', async (name, args) => {
    const outcome = await call(name, args).catch((error: Error) => ({ isError: true, text: error.message }))
    expect(outcome).toEqual({ isError: true, text: expect.stringMatching(/invalid|must|required/i) })
  })

  test('a tool and a method that do not exist', async () => {
    const outcome = await call('drop_everything', {}).catch((error: Error) => ({ isError: true, text: error.message }))
    expect(outcome).toMatchObject({ isError: true, text: expect.stringContaining('drop_everything') })
    const answer = await post({ jsonrpc: '2.0', id: 7, method: 'nothing/here' })
    expect(await answer.text()).toContain('-32601')
  })

  test.each<[string, unknown, Record<string, string>, number]>([
    ['no JSON', '{', {}, 400],
    ['no message', { a: 1 }, {}, 400],
    ['a NUL', { ...LIST, params: { a: '\0' } }, {}, 422],
    ['too much', { ...LIST, params: { a: 'x'.repeat(100_001) } }, {}, 413],
    ['no JSON by its type', 'x', { 'content-type': 'text/plain' }, 415],
    ['nothing that takes the answer', LIST, { accept: 'image/png' }, 406],
  ])('%s is refused', async (_what, body, headers, status) => {
    expect((await post(body, headers)).status).toBe(status)
    expect((await client.listTools()).tools).toHaveLength(TOOLS.length)
  })

  test.each(['GET', 'DELETE', 'PUT'])('%s has no meaning without sessions', async (method) => {
    const answer = await fetch(url, { method, headers: { ...admin, accept: 'text/event-stream' } })
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'POST'])
  })
})

describe('who may', () => {
  test.each([[{}], [{ authorization: 'Bearer wrong' }], [{ authorization: 'Basic eDp5' }]])(
    'not: %j',
    async (headers) => {
      await expect(connect(headers as Record<string, string>)).rejects.toThrow()
      const answer = await post(LIST, { authorization: 'none', ...headers })
      expect(answer.status).toBe(401)
    },
  )

  test('not a web page with a token for one agent: not even what it may over REST', async () => {
    const access = ['read_agent', 'write_agent', 'read_messages', 'write_messages']
    const body = { policy: [{ type: 'agent', id: agentId, access }], hostname: 'https://app.example.org' }
    const made = await server.request<{ token: string }>('POST', '/v1/client-side-access-tokens', body, admin)
    const token = { authorization: `Bearer ${made.body.token}` }
    expect((await server.request('GET', `/v1/agents/${agentId}`, undefined, token)).status).toBe(200)
    const get = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'list_agents', arguments: {} } }
    for (const message of [LIST, get]) expect((await post(message, token)).status).toBe(403)
    await expect(connect(token)).rejects.toThrow()
  })

  test('a web page only where its origin is allowed', async () => {
    for (const origin of ['https://evil.example', 'http://localhost.evil.example', 'null', 'file://']) {
      expect((await post(LIST, { origin })).status).toBe(403)
    }
    for (const origin of ['https://app.example.org', 'http://localhost:6274']) {
      expect((await post(LIST, { origin })).status).toBe(200)
    }
  })

  test('without a key only this machine, and no page of others', async () => {
    const open = await startTestServer({ db: server.context.db, models: model.registry })
    try {
      const at = new URL('/mcp', await open.baseUrl())
      const own = new Client({ name: 'test', version: '1' })
      await own.connect(new StreamableHTTPClientTransport(at))
      expect((await own.listTools()).tools).toHaveLength(TOOLS.length)
      await own.close()
      const rebound = await open.request('POST', '/mcp', LIST, { host: 'evil.example' })
      expect(rebound.status).toBe(403)
      expect((await open.request('POST', '/mcp', LIST, { origin: 'https://evil.example' })).status).toBe(403)
    } finally {
      await open.close()
    }
  })

  test('of two organisations each sees its own alone', async () => {
    const { headers } = await server.addOrganization()
    const theirs = { ...admin, ...headers }
    const other = await connect(theirs)
    const secret = await newAgent('Secret', theirs)
    expect(await read<{ id: string }[]>('list_agents', {}, other)).toMatchObject([{ id: secret }])
    const mine = await read<{ id: string }[]>('list_agents', { limit: 100 })
    expect(mine.map(({ id }) => id)).not.toContain(secret)
    const calls: [string, Record<string, unknown>][] = [
      ['get_agent', {}],
      ['send_message', { text: 'hello' }],
      ['search_memory', { query: 'tea' }],
      ['list_blocks', {}],
      ['read_block', { label: 'human' }],
      ['edit_block', { label: 'human', value: 'stolen' }],
      ['insert_memory', { text: 'planted' }],
    ]
    for (const [name, args] of calls) {
      const outcome = await call(name, { agent_id: agentId, ...args }, other)
      expect([name, outcome.isError, outcome.text]).toEqual([name, true, expect.stringMatching(/not found|no agent/i)])
      expect(outcome.text).not.toContain('tea')
    }
    expect(await read('read_block', { agent_id: agentId, label: 'human' })).toMatchObject({
      value: 'Likes tea. Lives in Ulm.',
    })
    await other.close()
  })
})

test('is no operation of the REST API', async () => {
  const { body } = await server.request<{ paths: Record<string, unknown> }>('GET', '/openapi.json')
  expect(Object.keys(body.paths)).not.toContain('/mcp')
})
