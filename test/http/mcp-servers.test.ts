import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DEFAULT_ORGANIZATION_ID } from '#platform/ids.ts'
import { SECRET_MASK } from '#platform/secret-mask.ts'
import { statement } from '#store/db.ts'
import { multipartFile } from '../support/multipart.ts'
import { createTestAgent } from '../support/test-agent.ts'
import { startTestServer, type TestServer } from '../support/test-server.ts'

interface McpServer {
  id: string
  server_name: string
  auth_token: string | null
  custom_headers: Record<string, string> | null
  detail: unknown
  [field: string]: unknown
}
type Config = Record<string, unknown>

const UNKNOWN = 'mcp_server-01234567-89ab-4def-8123-456789abcdef'
const TOOL = 'tool-00000000-0000-4000-8000-00000000000a'
// reserved: nobody is there (RFC 6761)
const URL = 'https://mcp.invalid/mcp'
const http = (config: Config = {}): Config => ({ mcp_server_type: 'streamable_http', server_url: URL, ...config })

let server: TestServer
let open: TestServer
let other: Record<string, string>
beforeAll(async () => {
  server = await startTestServer()
  open = await startTestServer({ db: server.context.db, config: { mcpStdio: 'unconfined', mcpAddresses: 'any' } })
  other = (await server.addOrganization()).headers
})
afterAll(async () => {
  await open.close()
  await server.close()
})

const create = (server_name: string, config: Config, headers = {}) =>
  server.request<McpServer>('POST', '/v1/mcp-servers/', { server_name, config }, headers)
const modify = (id: string, body: object, headers = {}) =>
  server.request<McpServer>('PATCH', `/v1/mcp-servers/${id}`, body, headers)
const get = (id: string, headers = {}) => server.request<McpServer>('GET', `/v1/mcp-servers/${id}`, undefined, headers)

const READ_ROW = statement(
  'test-read-mcp-server',
  'select s.auth_token, s.custom_headers, s.env from mcp_servers as s where s.id = $1',
)
interface Sealed {
  auth_token: string
  custom_headers: Record<string, string>
  env: Record<string, string>
}
const sealedOf = async (id: string) => (await server.context.db.query<Sealed>(READ_ROW, [id]))[0]
const unseal = (text: string | undefined, place: string) =>
  server.context.secrets.open(text ?? '', { organizationId: DEFAULT_ORGANIZATION_ID, place: `mcp_servers ${place}` })

describe('storing', () => {
  it('masks secrets in every answer and encrypts them', async () => {
    const made = await create(
      'secretive',
      http({ auth_header: 'X-Key', auth_token: 's3cret', custom_headers: { 'X-A': 'hidden' } }),
    )
    expect(made.status).toBe(200)
    expect(made.body).toEqual({
      id: expect.stringMatching(/^mcp_server-/),
      server_name: 'secretive',
      mcp_server_type: 'streamable_http',
      server_url: URL,
      auth_header: 'X-Key',
      auth_token: SECRET_MASK,
      custom_headers: { 'X-A': SECRET_MASK },
    })
    expect(made.headers['x-mcp-last-error']).toMatch(/'secretive' cannot be reached/)
    expect((await get(made.body.id)).body).toEqual(made.body)
    const row = await sealedOf(made.body.id)
    expect(JSON.stringify(row)).not.toMatch(/s3cret|hidden/)
    expect(unseal(row?.auth_token, `${made.body.id} auth_token`)).toBe('s3cret')
    expect(unseal(row?.custom_headers['X-A'], `${made.body.id} custom_headers X-A`)).toBe('hidden')
    const listed = await server.request<McpServer[]>('GET', '/v1/mcp-servers/')
    expect(listed.body).toContainEqual(made.body)
    const legacy = await server.request<Record<string, McpServer>>('GET', '/v1/tools/mcp/servers')
    expect(legacy.body.secretive).toMatchObject({ type: 'streamable_http', auth_token: SECRET_MASK })
  })

  it.each<[number, Config, RegExp]>([
    [422, http({ server_url: 'ftp://example.com' }), /https:\/\/ or http:\/\//],
    [422, http({ server_url: 'nonsense' }), /server_url/],
    [422, http({ server_url: undefined }), /server_url: Field required/],
    [422, http({ server_url: 'https://user:pw@example.com' }), /user or a password/],
    [422, http({ server_url: 'http://localhost:3000/mcp' }), /public internet.*PERDURE_MCP_ADDRESSES/],
    [422, http({ server_url: 'http://127.0.0.1/mcp' }), /public internet/],
    [422, http({ server_url: 'http://2130706433/mcp' }), /public internet/],
    [422, http({ server_url: 'http://[::1]/mcp' }), /public internet/],
    [422, http({ server_url: 'http://169.254.169.254/' }), /public internet/],
    [422, http({ server_url: 'http://printer.local/' }), /public internet/],
    [422, http({ server_url: 'http://redis:6379/' }), /public internet/],
    [422, http({ server_url: 'http://api.default.svc.cluster.local./' }), /public internet/],
    [422, http({ auth_token: 'a\r\nX: y' }), /more than one line/],
    [422, http({ custom_headers: { 'a b': 'x' } }), /name of a header/],
    [422, http({ auth_token: SECRET_MASK }), /none is stored/],
    [422, http({ auth_token: 3 }), /auth_token/],
    [422, http({ custom_headers: { a: 3 } }), /custom_headers/],
    [422, http({ mcp_server_type: undefined }), /mcp_server_type: Field required/],
    [422, http({ mcp_server_type: 'carrier pigeon' }), /mcp_server_type/],
    [400, { mcp_server_type: 'stdio', command: 'npx', args: [] }, /PERDURE_MCP_STDIO/],
  ])('answers %i to %o', async (status, config, detail) => {
    const answer = await create('bad', config)
    expect(String(answer.body.detail)).toMatch(detail)
    expect(answer.status).toBe(status)
  })

  it('wants a name', async () => {
    expect((await server.request('POST', '/v1/mcp-servers/', { config: http() })).status).toBe(422)
    expect((await server.request('POST', '/v1/mcp-servers/', { server_name: 3, config: http() })).status).toBe(422)
    expect((await server.request('POST', '/v1/mcp-servers/', { server_name: '', config: http() })).status).toBe(422)
  })

  it('answers 409 to a second one of a name, which no repetition cures', async () => {
    await create('twin', http())
    const answer = await create('twin', http())
    expect(answer).toMatchObject({ status: 409, headers: { 'x-should-retry': 'false' } })
    expect((await create('twin', http(), other)).status).toBe(200)
  })

  it('takes programs and local addresses where the operator allows them', async () => {
    const config = { mcp_server_type: 'stdio', command: '/nowhere/npx', args: ['-y', 'x'], env: { KEY: 'hidden' } }
    const made = await open.request<McpServer>('POST', '/v1/mcp-servers/', { server_name: 'program', config })
    expect(made.body).toMatchObject({
      mcp_server_type: 'stdio',
      command: '/nowhere/npx',
      args: ['-y', 'x'],
      env: { KEY: SECRET_MASK },
    })
    expect(made.headers['x-mcp-last-error']).toMatch(/could not be started.*ENOENT/)
    expect(unseal((await sealedOf(made.body.id))?.env.KEY, `${made.body.id} env KEY`)).toBe('hidden')
    const local = { server_name: 'local', config: http({ server_url: 'http://localhost:1/mcp' }) }
    expect((await open.request('POST', '/v1/mcp-servers/', local)).status).toBe(200)
    const bad = { server_name: 'bad', config: { ...config, env: { 'A=B': 'x' } } }
    expect((await open.request('POST', '/v1/mcp-servers/', bad)).status).toBe(422)
    const to = { config: { mcp_server_type: 'sse', server_url: URL } }
    const turned = await open.request<McpServer>('PATCH', `/v1/mcp-servers/${made.body.id}`, to)
    expect(turned.body).toMatchObject({ mcp_server_type: 'sse', server_url: URL, custom_headers: null })
    expect((await sealedOf(made.body.id))?.env).toEqual({})
    await server.request('DELETE', `/v1/mcp-servers/${made.body.id}`)
  })
})

describe('changing', () => {
  it('keeps what is left out or masked, and clears with null', async () => {
    const { body: made } = await create(
      'changing',
      http({ auth_header: 'X-Key', auth_token: 'one', custom_headers: { A: 'a', B: 'b' } }),
    )
    const { id } = made
    const kept = await modify(id, { config: { mcp_server_type: 'sse' } })
    expect(kept.body).toEqual({ ...made, mcp_server_type: 'sse' })
    const same = await modify(id, {
      server_name: null,
      config: http({ auth_token: SECRET_MASK, custom_headers: { B: SECRET_MASK, C: 'c' } }),
    })
    expect(same.body).toMatchObject({ server_name: 'changing', custom_headers: { B: SECRET_MASK, C: SECRET_MASK } })
    const row = await sealedOf(id)
    expect(unseal(row?.auth_token, `${id} auth_token`)).toBe('one')
    expect(unseal(row?.custom_headers.B, `${id} custom_headers B`)).toBe('b')
    expect(unseal(row?.custom_headers.C, `${id} custom_headers C`)).toBe('c')
    const cleared = await modify(id, {
      server_name: 'changed',
      config: http({ server_url: null, auth_header: null, auth_token: null, custom_headers: null }),
    })
    expect(cleared.body).toMatchObject({
      id,
      server_name: 'changed',
      server_url: URL,
      auth_header: null,
      auth_token: null,
      custom_headers: null,
    })
    expect((await get(id)).body).toEqual(cleared.body)
  })

  it('answers 409 to a taken name, and both stay', async () => {
    const { body: first } = await create('first', http())
    const { body: second } = await create('second', http())
    expect((await modify(second.id, { server_name: 'first', config: http() })).status).toBe(409)
    expect((await get(first.id)).body).toEqual(first)
    expect((await get(second.id)).body).toEqual(second)
  })

  it('wants the type, and checks addresses as for a new one', async () => {
    const { body: made } = await create('checked', http())
    expect((await modify(made.id, { server_name: 'x' })).status).toBe(422)
    expect((await modify(made.id, { config: { server_url: URL } })).status).toBe(422)
    expect((await modify(made.id, { config: http({ server_url: 'http://10.0.0.1/' }) })).status).toBe(422)
    expect((await modify(made.id, { config: { mcp_server_type: 'stdio', command: 'x' } })).status).toBe(400)
    expect((await get(made.id)).body).toEqual(made)
  })
})

describe('tools of a server', () => {
  it('are listed, and go with it, from agents too', async () => {
    const { body: made } = await create('with tools', http())
    const insert = statement(
      'test-insert-mcp-tool',
      `insert into tools (organization_id, id, name, tool_type, json_schema, mcp_server_id) values ($1, $2, 'remote', 'external_mcp', '{"name": "remote"}', $3)`,
    )
    await server.context.db.query(insert, [DEFAULT_ORGANIZATION_ID, TOOL, made.id])
    const agentId = await createTestAgent(server.context.db, server.context.models, { tool_ids: [TOOL] })
    const url = `/v1/mcp-servers/${made.id}/tools`
    const tools = await server.request<{ id: string; name: string }[]>('GET', url)
    expect(tools.body).toMatchObject([{ id: TOOL, name: 'remote', tool_type: 'external_mcp' }])
    expect((await server.request('GET', `${url}/${TOOL}`)).body).toEqual(tools.body[0])
    expect((await server.request('GET', `${url}/tool-x`)).status).toBe(404)
    const { body: empty } = await create('without tools', http())
    expect((await server.request('GET', `/v1/mcp-servers/${empty.id}/tools/${TOOL}`)).status).toBe(404)
    expect((await server.request('GET', `/v1/mcp-servers/${empty.id}/tools`)).body).toEqual([])
    const run = await server.request('POST', `${url}/${TOOL}/run`, { args: {} })
    const unreachable = expect.stringMatching(/'with tools' cannot be reached.*See whether it is running/)
    expect(run).toMatchObject({ status: 200, body: { status: 'error', func_return: unreachable } })
    const address = `/v1/tools/mcp/servers/${encodeURIComponent('with tools')}/tools/remote/execute`
    const executed = await server.request('POST', address, { args: {} })
    expect(executed).toMatchObject({ status: 200, body: { success: false, result: unreachable } })
    const byHand = await server.request('POST', `/v1/agents/${agentId}/tools/remote/run`, {})
    expect(byHand.body).toMatchObject({ status: 'error', func_return: unreachable })
    const overwritten = { source_code: 'x', json_schema: { name: 'remote' } }
    expect((await server.request('POST', '/v1/tools/', overwritten)).status).toBe(409)
    expect((await server.request('PATCH', `/v1/tools/${TOOL}`, { source_code: 'x' })).body.detail).toMatch(
      /comes from an MCP server/,
    )
    expect((await server.request('DELETE', `/v1/mcp-servers/${made.id}`)).status).toBe(204)
    expect((await server.request('GET', `/v1/tools/${TOOL}`)).status).toBe(404)
    const left = await server.request<{ name: string }[]>('GET', `/v1/agents/${agentId}/tools`)
    expect(left.body.map(({ name }) => name)).not.toContain('remote')
  })

  it('that a file has replaced by one of its own do not go with it', async () => {
    const { body: made } = await create('replaced', http())
    const insert = statement(
      'test-insert-replaced-tool',
      `insert into tools (organization_id, id, name, tool_type, json_schema, mcp_server_id) values ($1, $2, 'replaced', 'external_mcp', '{"name": "replaced"}', $3)`,
    )
    await server.context.db.query(insert, [DEFAULT_ORGANIZATION_ID, TOOL, made.id])
    const tool = { id: 'tool-0', name: 'replaced', tool_type: 'custom', source_code: 'def replaced(): ...' }
    const file = {
      agents: [{ id: 'agent-0', model: 'openai/gpt-4o-mini', tool_ids: ['tool-0'] }],
      tools: [{ ...tool, source_type: 'python', json_schema: { name: 'replaced' } }],
    }
    const form = multipartFile('agent.af', JSON.stringify(file))
    const imported = await server.request('POST', '/v1/agents/import', form.payload, form.headers)
    expect(imported.status, JSON.stringify(imported.body)).toBe(200)
    expect((await server.request('GET', `/v1/tools/${TOOL}`)).body.tool_type).toBe('custom')
    expect((await server.request('DELETE', `/v1/mcp-servers/${made.id}`)).status).toBe(204)
    expect((await server.request('GET', `/v1/tools/${TOOL}`)).status).toBe(200)
  })
})

describe('a server that does not answer', () => {
  it("is told in V1's shape, and is what streams say", async () => {
    const { body: made } = await create('silent', http())
    const tried = { server_name: 'new', server_url: URL }
    const asked = [
      await server.request('PATCH', `/v1/mcp-servers/${made.id}/refresh?agent_id=x`),
      await server.request('GET', '/v1/tools/mcp/servers/silent/tools'),
      await server.request('POST', '/v1/tools/mcp/servers/silent/resync'),
      await server.request('POST', '/v1/tools/mcp/servers/silent/some_tool'),
      await server.request('POST', '/v1/tools/mcp/servers/test', tried),
    ]
    for (const { status, body, headers } of asked) {
      expect(status).toBe(404)
      expect(headers['x-should-retry']).toBe('false')
      expect(body.detail).toEqual({
        code: 'MCPServerUnavailable',
        message: expect.stringMatching(/^Could not connect to MCP server (silent|new)/),
        error: expect.stringMatching(/cannot be reached: .*ENOTFOUND/),
        reason: 'unreachable',
      })
    }
    const streams = [
      await server.request<string>('GET', `/v1/mcp-servers/connect/${made.id}`),
      await server.request<string>('POST', '/v1/tools/mcp/servers/connect', { ...tried, type: 'sse' }),
    ]
    for (const { status, body } of streams) {
      expect(status).toBe(200)
      expect(body).toMatch(
        /^data: {"event":"connection_attempt","server_name":"(silent|new)"}\n\ndata: {"event":"error","message":"[^\n]*cannot be reached[^\n]*"}\n\n$/,
      )
    }
    const private_ = { server_name: 'x', server_url: 'http://10.0.0.1' }
    expect((await server.request('POST', '/v1/tools/mcp/servers/test', private_)).status).toBe(422)
  })

  it('has no way back for an authorization that nobody began', async () => {
    expect(await server.request('GET', '/v1/tools/mcp/oauth/callback?code=x&state=org.y')).toMatchObject({
      status: 400,
      body: { status: 'error', message: expect.stringContaining('not known') },
    })
  })
})

describe('a server that becomes another', () => {
  const secrets = { auth_token: 's3cret', custom_headers: { 'X-A': 'hidden' } }

  it.each<[string, Config]>([
    ['auth_token', { custom_headers: null }],
    ['auth_token', { auth_token: SECRET_MASK, custom_headers: null }],
    ['custom_headers X-A', { auth_token: null }],
    ['custom_headers X-A', { auth_token: 'new', custom_headers: { 'X-A': SECRET_MASK } }],
  ])('does not get the %s of the first', async (place, change) => {
    const { body: made } = await create(`moved ${JSON.stringify(change)}`, http(secrets))
    const moved = await modify(made.id, { config: http({ server_url: 'https://other.invalid/', ...change }) })
    expect(moved.status).toBe(422)
    expect(moved.body.detail).toContain(`${place} was given for the one before`)
    expect((await get(made.id)).body).toEqual(made)
  })

  it('gets what is sent for it', async () => {
    const { body: made } = await create('moved well', http(secrets))
    const config = http({ server_url: 'https://other.invalid/', auth_token: 'new', custom_headers: {} })
    const moved = await modify(made.id, { config })
    expect(moved.body).toMatchObject({
      server_url: 'https://other.invalid/',
      auth_token: SECRET_MASK,
      custom_headers: null,
    })
  })

  it('is one for programs too', async () => {
    const config = { mcp_server_type: 'stdio', command: '/nowhere/a', args: ['x'], env: { KEY: 'hidden' } }
    const { body: made } = await open.request<McpServer>('POST', '/v1/mcp-servers/', {
      server_name: 'moved program',
      config,
    })
    for (const change of [
      { command: '/nowhere/b' },
      { args: ['y'] },
      { command: '/nowhere/b', env: { KEY: SECRET_MASK } },
    ]) {
      const body = { config: { mcp_server_type: 'stdio', ...change } }
      const moved = await open.request('PATCH', `/v1/mcp-servers/${made.id}`, body)
      expect(moved.body.detail).toContain('env KEY was given for the one before')
    }
    const body = { config: { mcp_server_type: 'stdio', command: '/nowhere/b', env: { KEY: 'new' } } }
    expect((await open.request('PATCH', `/v1/mcp-servers/${made.id}`, body)).status).toBe(200)
  })
})

describe('the older routes', () => {
  it('work on the same servers', async () => {
    const added = await server.request<McpServer[]>('PUT', '/v1/tools/mcp/servers', {
      server_name: 'old/one',
      server_url: URL,
      auth_token: 's3cret',
    })
    expect(added.body).toContainEqual({
      server_name: 'old/one',
      type: 'sse',
      server_url: URL,
      auth_header: null,
      auth_token: SECRET_MASK,
      custom_headers: null,
    })
    const address = '/v1/tools/mcp/servers/old%2Fone'
    expect(
      (await server.request('PUT', '/v1/tools/mcp/servers', { server_name: 'old/one', server_url: URL })).status,
    ).toBe(409)
    const changed = await server.request<McpServer>('PATCH', address, {
      server_name: 'old',
      token: 'other',
      custom_headers: { A: 'a' },
    })
    expect(changed.body).toMatchObject({ server_name: 'old', type: 'sse', custom_headers: { A: SECRET_MASK } })
    const listed = (await server.request<McpServer[]>('GET', '/v1/mcp-servers/')).body
    const { id = '' } = listed.find(({ server_name }) => server_name === 'old') ?? {}
    expect(unseal((await sealedOf(id))?.auth_token, `${id} auth_token`)).toBe('other')
    expect((await server.request('DELETE', address)).status).toBe(404)
    const left = await server.request<McpServer[]>('DELETE', '/v1/tools/mcp/servers/old')
    expect(left.body.map(({ server_name }) => server_name)).not.toContain('old')
    expect((await get(id)).status).toBe(404)
    for (const [method, path] of [
      ['PATCH', ''],
      ['DELETE', ''],
      ['GET', '/tools'],
      ['POST', '/resync'],
      ['POST', '/x'],
    ] as const) {
      const answer = await server.request(
        method,
        `/v1/tools/mcp/servers/none${path}`,
        method === 'GET' ? undefined : {},
      )
      expect(answer).toMatchObject({ status: 404, body: { detail: expect.stringContaining("none named 'none'") } })
    }
    expect((await server.request('PUT', '/v1/tools/mcp/servers', { server_url: URL })).status).toBe(422)
    expect((await server.request('PUT', '/v1/tools/mcp/servers', { server_name: 'p', command: 'npx' })).status).toBe(
      400,
    )
  })
})

describe('another organisation', () => {
  it.each<['GET' | 'PATCH' | 'DELETE' | 'POST', string, object?]>([
    ['GET', ''],
    ['PATCH', '', { config: http() }],
    ['DELETE', ''],
    ['GET', '/tools'],
    ['GET', `/tools/${TOOL}`],
    ['POST', `/tools/${TOOL}/run`, { args: {} }],
    ['PATCH', '/refresh', {}],
  ])('%s %s gets the same 404 as for an unknown id', async (method, path, body) => {
    const { body: made } = await create(`mine ${method}${path}`, http({ auth_token: 's3cret' }))
    const foreign = await server.request(method, `/v1/mcp-servers/${made.id}${path}`, body, other)
    const unknown = await server.request(method, `/v1/mcp-servers/${UNKNOWN}${path}`, body, other)
    const malformed = await server.request(method, `/v1/mcp-servers/nonsense${path}`, body, other)
    expect([foreign.status, unknown.status, malformed.status]).toEqual([404, 404, 404])
    expect(String(foreign.body.detail).replace(made.id, UNKNOWN)).toBe(unknown.body.detail)
    expect((await get(made.id)).body).toEqual(made)
    const connect = await server.request('GET', `/v1/mcp-servers/connect/${made.id}`, undefined, other)
    expect(connect.body.detail).toMatch(/not found/)
  })

  it('lists its own', async () => {
    expect((await server.request<McpServer[]>('GET', '/v1/mcp-servers/', undefined, other)).body).toHaveLength(1)
    expect(Object.keys((await server.request('GET', '/v1/tools/mcp/servers', undefined, other)).body)).toEqual(['twin'])
  })
})
