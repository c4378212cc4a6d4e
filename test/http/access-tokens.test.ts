import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { newId } from '#platform/ids.ts'
import { createLogger } from '#platform/logger.ts'
import { buildServer } from '#server.ts'
import { statement } from '#store/db.ts'
import { listOperations, type Operation, pathOf } from '../support/operations.ts'
import { scriptedModel } from '../support/scripted-model.ts'
import { startTestServer, type TestServer } from '../support/test-server.ts'

interface Token {
  token: string
  hostname: string
  expiresAt: string
  policy: { version: string; data: { type: string; id: string; access: string[] }[] }
}
type Access = 'read_agent' | 'write_agent' | 'read_messages' | 'write_messages'

const KEY = 'correct-horse-battery-staple'
const ACCESSES: Access[] = ['read_agent', 'write_agent', 'read_messages', 'write_messages']
const URL = '/v1/client-side-access-tokens'
const PAGE = 'https://app.example'

const lines: string[] = []
let server: TestServer
beforeAll(async () => {
  const logger = createLogger({
    level: 'trace',
    format: 'json',
    secrets: [],
    destination: { write: (line) => void lines.push(line) },
  })
  const models = scriptedModel(() => ({ text: 'Yes.' })).registry
  server = await startTestServer({ config: { apiKey: KEY }, logger, models })
})
afterAll(() => server.close())

const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
const admin = bearer(KEY)

async function newAgent(body: object = {}): Promise<string> {
  const full = { model: 'openai/gpt-4o-mini', memory_blocks: [{ label: 'human', value: '' }], ...body }
  return (await server.request<{ id: string }>('POST', '/v1/agents', full, admin)).body.id
}
async function create(id: string, access: Access[] = ACCESSES, body: object = {}): Promise<Token> {
  const full = { policy: [{ type: 'agent', id, access }], hostname: PAGE, ...body }
  const response = await server.request<Token>('POST', URL, full, admin)
  expect(response.status, JSON.stringify(response.body)).toBe(201)
  return response.body
}
const ask = async (url: string, token: string, headers: Record<string, string> = {}) =>
  (await server.request('GET', url, undefined, { ...bearer(token), ...headers })).status

describe('making, listing, deleting', () => {
  test('the token is shown once; the database has its hash', async () => {
    const agent = await newAgent()
    const made = await create(agent, ['read_agent'])
    expect(made).toEqual({
      token: expect.stringMatching(/^pct_[\w-]+\.[\w-]{43}$/),
      hostname: PAGE,
      expiresAt: expect.any(String),
      policy: { version: '1', data: [{ type: 'agent', id: agent, access: ['read_agent'] }] },
    })
    const lifeMs = Date.parse(made.expiresAt) - Date.now()
    expect(lifeMs).toBeGreaterThan(4 * 60_000)
    expect(lifeMs).toBeLessThanOrEqual(5 * 60_000)
    const listed = await server.request<{ tokens: Token[] }>('GET', `${URL}?agentId=${agent}`, undefined, admin)
    expect(listed.body).toEqual({
      tokens: [{ ...made, token: expect.stringMatching(/^token-/) }],
      hasNextPage: false,
    })
    const all = statement('test-read-tokens', 'select t::text as row from access_tokens as t')
    expect(JSON.stringify(await server.context.db.query(all))).not.toContain(made.token.split('.')[1])
  })

  test('pages, and a filter by agent', async () => {
    const agent = await newAgent()
    for (let index = 0; index < 3; index++) await create(agent)
    const list = async (query: string) =>
      (await server.request<{ tokens: Token[]; hasNextPage: boolean }>('GET', `${URL}?${query}`, undefined, admin)).body
    const all = (await list(`agentId=${agent}`)).tokens
    expect(all).toHaveLength(3)
    expect(await list(`agentId=${agent}&limit=2`)).toEqual({ tokens: all.slice(0, 2), hasNextPage: true })
    expect(await list(`agentId=${agent}&limit=2&offset=2`)).toEqual({ tokens: all.slice(2), hasNextPage: false })
    expect((await list(`agentId=${newId('agent')}`)).tokens).toEqual([])
    expect((await server.request('GET', `${URL}?limit=x`, undefined, admin)).status).toBe(422)
  })

  test.each<[string, number, object]>([
    ['no policy', 422, { policy: [] }],
    ['no access', 422, { policy: [{ type: 'agent', id: newId('agent'), access: [] }] }],
    ['an unknown access', 422, { policy: [{ type: 'agent', id: newId('agent'), access: ['everything'] }] }],
    ['an unknown type', 422, { policy: [{ type: 'block', id: newId('block'), access: ['read_agent'] }] }],
    ['a malformed agent', 422, { policy: [{ type: 'agent', id: 'x', access: ['read_agent'] }] }],
    ['an unknown agent', 404, { policy: [{ type: 'agent', id: newId('agent'), access: ['read_agent'] }] }],
    ['a host without protocol', 422, { hostname: 'app.example' }],
    ['another protocol', 422, { hostname: 'ftp://app.example' }],
    ['no host', 422, { hostname: 'https://' }],
    ['an end that has passed', 422, { expires_at: '2020-01-01T00:00:00Z' }],
    ['an end that is no time', 422, { expires_at: 'soon' }],
  ])('%s is refused', async (_, status, body) => {
    const agent = await newAgent()
    const full = { policy: [{ type: 'agent', id: agent, access: ['read_agent'] }], hostname: PAGE, ...body }
    expect((await server.request('POST', URL, full, admin)).status).toBe(status)
  })

  test('deleted by itself or by its id, it opens nothing any more', async () => {
    const agent = await newAgent()
    const url = `/v1/agents/${agent}`
    for (const isById of [true, false]) {
      const { token } = await create(agent)
      const listed = await server.request<{ tokens: Token[] }>('GET', `${URL}?agentId=${agent}`, undefined, admin)
      expect(await ask(url, token)).toBe(200)
      const named = isById ? listed.body.tokens[0]?.token : token
      const { headers } = await server.addOrganization()
      const foreign = await server.request('DELETE', `${URL}/${named}`, undefined, { ...admin, ...headers })
      expect(foreign.status).toBe(404)
      expect((await server.request('DELETE', `${URL}/${named}`, undefined, admin)).status).toBe(204)
      expect((await server.request('DELETE', `${URL}/${named}`, undefined, admin)).status).toBe(404)
      expect(await ask(url, token)).toBe(401)
    }
    expect((await server.request('DELETE', `${URL}/nothing`, undefined, admin)).status).toBe(404)
  })

  test("another organisation's agent is unknown, and its tokens are listed to nobody else", async () => {
    const { headers } = await server.addOrganization()
    const agent = await newAgent()
    await create(agent)
    const policy = [{ type: 'agent', id: agent, access: ['read_agent'] }]
    const foreign = await server.request('POST', URL, { policy, hostname: PAGE }, { ...admin, ...headers })
    expect(foreign.status).toBe(404)
    const listed = await server.request('GET', URL, undefined, { ...admin, ...headers })
    expect(listed.body).toEqual({ tokens: [], hasNextPage: false })
  })
})

describe('as a credential', () => {
  const FOREIGN = ['archive_id', 'block_id', 'folder_id', 'group_id', 'identity_id', 'source_id', 'tool_id']
  const NEEDED: Record<string, Access> = {
    'agents:read': 'read_agent',
    'agents:write': 'write_agent',
    'messages:read': 'read_messages',
    'messages:write': 'write_messages',
  }

  /** The permissions of each route, told by a server that does nothing else. */
  async function permissionsOf(operations: readonly Operation[]): Promise<Map<Operation, string[]>> {
    const app = await buildServer(server.context)
    app.addHook('onRequest', async (request, reply) => {
      const { permission, alsoNeeds = permission } = request.routeOptions.config
      return reply.send([permission, alsoNeeds].join())
    })
    await app.ready()
    const permissions = new Map<Operation, string[]>()
    for (const operation of operations) {
      const url = pathOf(operation, () => 'x')
      const { body } = await app.inject({ method: operation.method, url, headers: admin })
      permissions.set(operation, [...new Set(body.split(','))])
    }
    await app.close()
    return permissions
  }

  /** A body that no operation takes, so that what is allowed does nothing. */
  const statusOf = async (operation: Operation, agent: string, token: string): Promise<number> => {
    const url = pathOf(operation, (name) => (name === 'agent_id' ? agent : newId('run')))
    const { method } = operation
    const hasBody = operation.body !== undefined
    const payload = hasBody
      ? { payload: JSON.stringify(7), headers: { ...bearer(token), 'content-type': 'application/json' } }
      : { headers: bearer(token) }
    return (await server.app.inject({ method, url, ...payload })).statusCode
  }

  test('each access opens its operations of its agents, and nothing else, over every route', async () => {
    const operations = listOperations(server.app)
    const [own, other] = [await newAgent(), await newAgent()]
    const tokens = new Map<Access | 'all', string>()
    for (const access of ACCESSES) tokens.set(access, (await create(own, [access])).token)
    tokens.set('all', (await create(own)).token)
    // what is allowed then finds nothing: no operation is done by this test
    await server.request('DELETE', `/v1/agents/${own}`, undefined, admin)
    const wrong: string[] = []
    const opened: Record<string, number> = {}
    for (const [operation, permissions] of await permissionsOf(operations)) {
      for (const permission of permissions) expect(permission).toMatch(/^(public|[a-z-]+:(read|write))$/)
      if (permissions.includes('public')) continue
      const isOfAgent = operation.pathParameters.includes('agent_id')
      const reachesOut = operation.pathParameters.some((name) => FOREIGN.includes(name))
      for (const [access, token] of tokens) {
        const isAllowed = permissions.every((permission) => {
          const needed = NEEDED[permission]
          return needed !== undefined && (access === 'all' || access === needed)
        })
        const isOpen = isOfAgent && !reachesOut && isAllowed
        const status = await statusOf(operation, own, token)
        if (isOpen) opened[access] = (opened[access] ?? 0) + 1
        if (isOpen ? ![404, 422, 200].includes(status) : status !== 403) {
          wrong.push(`${access}: ${status} ${operation.method} ${operation.path}`)
        }
        const foreign = await statusOf(operation, other, token)
        if (foreign !== 403) wrong.push(`${access}, another agent: ${foreign} ${operation.method} ${operation.path}`)
      }
    }
    expect(wrong).toEqual([])
    // a table that opens nothing would prove nothing
    for (const access of ACCESSES) expect(opened[access], access).toBeGreaterThanOrEqual(3)
    expect(await ask(`/v1/agents/${other}`, KEY)).toBe(200)
  })

  test('reads and writes for real', async () => {
    const agent = await newAgent()
    const { token } = await create(agent)
    const as = bearer(token)
    expect((await server.request('GET', `/v1/agents/${agent}`, undefined, as)).body.id).toBe(agent)
    expect((await server.request('PATCH', `/v1/agents/${agent}`, { description: 'x' }, as)).status).toBe(200)
    const said = await server.request('POST', `/v1/agents/${agent}/messages`, { input: 'hi' }, as)
    expect(said.status).toBe(200)
    const messages = await server.request<unknown[]>('GET', `/v1/agents/${agent}/messages`, undefined, as)
    expect(messages.body.length).toBeGreaterThan(1)
    expect((await server.request('GET', '/v1/health', undefined, as)).status).toBe(200)
    for (const url of ['/v1/agents', '/v1/agents/count', '/v1/nothing', '/v1/runs', URL]) {
      expect(await ask(url, token), url).toBe(403)
    }
    expect((await server.request('POST', URL, { policy: [], hostname: PAGE }, as)).status).toBe(403)
  })

  test.each<[Access, 'GET' | 'POST', string, object | undefined]>([
    ['read_agent', 'GET', 'export', undefined],
    ['read_agent', 'POST', 'export', {}],
    ['read_agent', 'GET', 'context', undefined],
    ['read_agent', 'GET', '?include=agent.pending_approval', undefined],
    ['write_agent', 'POST', 'tools/conversation_search/run', { args: { query: 'secret' } }],
    ['read_messages', 'POST', 'messages/preview-raw-payload', { input: 'hi' }],
  ])('%s alone does not open %s %s, which shows more', async (access, method, path, body) => {
    const agent = await newAgent()
    await server.request('POST', `/v1/agents/${agent}/messages`, { input: 'The secret is blue.' }, admin)
    const ask = async (token: string) =>
      (
        await server.request(
          method,
          `/v1/agents/${agent}${path.startsWith('?') ? path : `/${path}`}`,
          body,
          bearer(token),
        )
      ).status
    expect(await ask((await create(agent, [access])).token)).toBe(403)
    expect(await ask((await create(agent)).token)).toBe(200)
  })

  test('cannot take what is of others into its agent', async () => {
    const [agent, other] = [await newAgent(), await newAgent()]
    const { token } = await create(agent)
    const patch = (body: object) => server.request('PATCH', `/v1/agents/${agent}`, body, bearer(token))
    const block = await server.request<{ id: string }>(
      'GET',
      `/v1/agents/${other}/core-memory/blocks/human`,
      undefined,
      admin,
    )
    for (const body of [
      { block_ids: [block.body.id] },
      { tool_ids: [] },
      { identity_ids: [] },
      { folder_ids: [] },
      { source_ids: [] },
      { tool_exec_environment_variables: {} },
      { project_id: 'x' },
      { template_id: 'x' },
      { base_template_id: 'x' },
      { secrets: { A: 'b' } },
    ]) {
      expect((await patch(body)).status, JSON.stringify(body)).toBe(403)
    }
    const attach = `/v1/agents/${agent}/core-memory/blocks/attach/${block.body.id}`
    expect((await server.request('PATCH', attach, undefined, bearer(token))).status).toBe(403)
    const find = statement('test-find-thread', 'select c.id from conversations as c where c.agent_id = $1')
    const [theirs] = await server.context.db.query<{ id: string }>(find, [other])
    const [mine] = await server.context.db.query<{ id: string }>(find, [agent])
    expect(await ask(`/v1/agents/${agent}/messages?conversation_id=${theirs?.id}`, token)).toBe(403)
    expect(await ask(`/v1/agents/${agent}/messages?conversation_id=${mine?.id}`, token)).toBe(200)
    expect(await ask(`/v1/agents/${agent}/messages?conversation_id=default`, token)).toBe(200)
  })

  test.each([
    [200, undefined],
    [200, PAGE],
    [403, 'https://app.example.evil'],
    [403, 'http://app.example'],
    [403, 'https://app.example:8443'],
    [403, 'null'],
    [403, ''],
  ])('answers %i to the origin %s', async (status, origin) => {
    const agent = await newAgent()
    const { token } = await create(agent)
    expect(await ask(`/v1/agents/${agent}`, token, origin === undefined ? {} : { origin })).toBe(status)
  })

  test('the host may be named with a path; what counts is the origin', async () => {
    const agent = await newAgent()
    const { token } = await create(agent, ACCESSES, { hostname: 'http://localhost:3000/app?x=1' })
    expect(await ask(`/v1/agents/${agent}`, token, { origin: 'http://localhost:3000' })).toBe(200)
    expect(await ask(`/v1/agents/${agent}`, token, { origin: PAGE })).toBe(403)
  })

  test('is over when it says so', async () => {
    const agent = await newAgent()
    const { token } = await create(agent, ACCESSES, { expires_at: new Date(Date.now() + 3_600_000).toISOString() })
    expect(await ask(`/v1/agents/${agent}`, token)).toBe(200)
    await server.context.db.execute('update access_tokens set expires_at = now()')
    expect(await ask(`/v1/agents/${agent}`, token)).toBe(401)
    expect(await ask('/v1/agents', token)).toBe(401)
  })

  test('nothing that is like a token is one', async () => {
    const agent = await newAgent()
    const { token } = await create(agent)
    const [head = '', secret = ''] = token.split('.')
    const foreignHead = `pct_${Buffer.from('org-other').toString('base64url')}`
    const hostileHead = `pct_${Buffer.from('a\0b').toString('base64url')}`
    const flipped = secret.startsWith('A') ? `B${secret.slice(1)}` : `A${secret.slice(1)}`
    for (const bad of [
      `${head}.${flipped}`,
      `${foreignHead}.${secret}`,
      `${hostileHead}.${secret}`,
      head,
      `${head}.`,
      `${token}x`,
      token.toUpperCase(),
    ]) {
      expect(await ask(`/v1/agents/${agent}`, bad), bad).toBe(401)
    }
    expect(await ask(`/v1/agents/${agent}`, token)).toBe(200)
  })

  test('costs one look-up, and none for other credentials', async () => {
    const seen: string[] = []
    const counted = await startTestServer({ config: { apiKey: KEY }, onStatement: (name) => seen.push(name) })
    const agent = (await counted.request<{ id: string }>('POST', '/v1/agents', { model: 'openai/gpt-4o-mini' }, admin))
      .body.id
    const body = { policy: [{ type: 'agent', id: agent, access: ['read_agent'] }], hostname: PAGE }
    const { token } = (await counted.request<Token>('POST', URL, body, admin)).body
    const lookUps = () => seen.filter((name) => name === 'find-access-token').length
    expect(lookUps()).toBe(0)
    await counted.request('GET', `/v1/agents/${agent}`, undefined, bearer('wrong'))
    await counted.request('GET', `/v1/agents/${agent}`, undefined, admin)
    expect(lookUps()).toBe(0)
    expect((await counted.request('GET', `/v1/agents/${agent}`, undefined, bearer(token))).status).toBe(200)
    expect(lookUps()).toBe(1)
    await counted.close()
  })

  test('works on a server without a key, from its own pages too, and stays small there', async () => {
    const open = await startTestServer({ db: server.context.db })
    const agent = await newAgent()
    const { token } = await create(agent, ['read_agent'])
    const get = async (url: string, headers: Record<string, string>) =>
      (await open.request('GET', url, undefined, headers)).status
    expect(await get(`/v1/agents/${agent}`, { ...bearer(token), origin: PAGE })).toBe(200)
    expect(await get('/v1/agents', bearer(token))).toBe(403)
    expect(await get('/v1/agents', { origin: PAGE })).toBe(403)
    expect(await get('/v1/agents', {})).toBe(200)
    const remote = {
      url: `/v1/agents/${agent}`,
      headers: { ...bearer(token), host: 'localhost' },
      remoteAddress: '192.0.2.1',
    }
    expect((await open.app.inject(remote)).statusCode).toBe(403)
    await open.close()
  })
})

test('no token stands in a log line', async () => {
  const agent = await newAgent()
  const { token } = await create(agent)
  await server.request('DELETE', `${URL}/${token}`, undefined, admin)
  await server.request('GET', `/v1/nothing/${token}`, undefined, admin)
  expect(lines.some((line) => line.includes('delete_client_side_access_token'))).toBe(true)
  expect(lines.filter((line) => line.includes(token.split('.')[1] ?? ''))).toEqual([])
})
