import { createParser } from 'eventsource-parser'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { DEFAULT_ORGANIZATION_ID } from '#platform/ids.ts'
import { createLogger } from '#platform/logger.ts'
import { statement } from '#store/db.ts'
import { type OauthServer, startOauthServer } from '../support/oauth-server.ts'
import { objectTool, startScriptedMcpServer } from '../support/scripted-mcp-server.ts'
import { startTestServer, type TestServer } from '../support/test-server.ts'

interface ConnectEvent {
  event: string
  url?: string
  session_id?: string
  message?: string
  tools?: { name: string }[]
}

let server: TestServer
/** Another process on the same database. */
let replica: TestServer
const lines: string[] = []
beforeAll(async () => {
  const logger = createLogger({
    level: 'trace',
    format: 'json',
    destination: { write: (line: string) => void lines.push(line) },
  })
  const config = { mcpAllowedHosts: '127.0.0.1', apiKey: 'the-key-of-the-server' }
  server = await startTestServer({ config, logger })
  replica = await startTestServer({ config, logger, db: server.context.db })
})
afterAll(async () => {
  await replica.close()
  await server.close()
})

const KEY = { authorization: 'Bearer the-key-of-the-server' }
const ask = <Body = Record<string, unknown>>(
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
  url: string,
  body?: unknown,
) => server.request<Body>(method, url, body, KEY)

let names = 0
/** An MCP server behind an authorization server, stored here. */
async function protectedServer(oauth: OauthServer) {
  const scripted = await startScriptedMcpServer({ tools: [objectTool('guarded')] })
  scripted.script.intercept = (request, response) => oauth.guard(request, response, scripted.url)
  names += 1
  const config = { mcp_server_type: 'streamable_http', server_url: scripted.url }
  const made = await ask<{ id: string }>('POST', '/v1/mcp-servers/', { server_name: `guarded ${names}`, config })
  expect(made.status).toBe(200)
  return Object.assign(scripted, { id: made.body.id, headers: made.headers, path: `/v1/mcp-servers/${made.body.id}` })
}

/** Reads the events of a connect as they come. */
async function openConnect(id: string) {
  const abort = new AbortController()
  const answer = await fetch(`${await server.baseUrl()}/v1/mcp-servers/connect/${id}`, {
    headers: KEY,
    signal: abort.signal,
  })
  expect(answer.headers.get('content-type')).toBe('text/event-stream')
  const events: ConnectEvent[] = []
  const waiting: (() => void)[] = []
  const parser = createParser({
    onEvent: ({ data }) => {
      events.push(JSON.parse(data) as ConnectEvent)
      for (const wake of waiting.splice(0)) wake()
    },
  })
  const ended = (async () => {
    for await (const chunk of answer.body ?? []) parser.feed(Buffer.from(chunk).toString())
  })().catch(() => {})
  const next = async (event: string): Promise<ConnectEvent> => {
    for (;;) {
      const found = events.find((one) => one.event === event)
      if (found !== undefined) return found
      const problem = events.find((one) => one.event === 'error')
      if (problem !== undefined) expect.fail(`error instead of ${event}: ${problem.message}`)
      await Promise.race([
        new Promise<void>((resolve) => waiting.push(resolve)),
        ended.then(() => expect.fail(`no ${event}`)),
      ])
    }
  }
  return { events, next, ended, abort: () => abort.abort() }
}

/** What the browser of the person does: goes there, and comes back with what it is given. */
async function browse(url: string): Promise<URL> {
  const answer = await fetch(url, { redirect: 'manual' })
  expect(answer.status, await answer.text()).toBe(302)
  return new URL(answer.headers.get('location') ?? '')
}
const comeBack = (at: TestServer, { pathname, search }: URL, headers = {}) =>
  at.request<Record<string, unknown>>('GET', pathname + search, undefined, headers)
const runTool = async ({ path }: { path: string }) => {
  const tools = await ask<{ id: string }[]>('GET', `${path}/tools`)
  return (await ask('POST', `${path}/tools/${tools.body[0]?.id}/run`, { args: {} })).body
}
/** Connects with an authorization, by the way back to `at`. */
async function allow(at: TestServer, guarded: { id: string }): Promise<URL> {
  const connect = await openConnect(guarded.id)
  const back = await browse((await connect.next('authorization_url')).url ?? '')
  expect((await comeBack(at, back)).status).toBe(200)
  await connect.next('success')
  return back
}

it('asks a person, takes the way back on another replica without a key, and stores the tools', async () => {
  await using oauth = await startOauthServer()
  await using guarded = await protectedServer(oauth)
  expect(guarded.headers['x-mcp-last-error']).toMatch(
    /wants an authorization.*GET \/v1\/mcp-servers\/connect\/mcp_server-/,
  )
  const connect = await openConnect(guarded.id)
  const { url = '', session_id } = await connect.next('authorization_url')
  expect(session_id).toMatch(/^mcp-oauth-/)
  await connect.next('waiting_for_auth')
  const address = new URL(url)
  expect(address.origin + address.pathname).toBe(`${oauth.url}/authorize`)
  expect(address.searchParams.get('code_challenge_method')).toBe('S256')
  expect(address.searchParams.get('redirect_uri')).toBe(`${await server.baseUrl()}/v1/tools/mcp/oauth/callback`)
  const back = await browse(url)
  const page = await replica.request<string>('GET', back.pathname + back.search, undefined, { accept: 'text/html' })
  expect(page).toMatchObject({ status: 200, body: expect.stringContaining('<h1>Allowed</h1>') })
  expect(page.headers['content-security-policy']).toMatch(/default-src 'none'/)
  expect((await connect.next('success')).tools).toMatchObject([{ name: 'guarded' }])
  await connect.ended
  expect(connect.events.map(({ event }) => event)).toEqual([
    'connection_attempt',
    'oauth_required',
    'authorization_url',
    'waiting_for_auth',
    'success',
  ])
  expect(await runTool(guarded)).toMatchObject({ status: 'success', func_return: 'guarded was called' })
  // connected already: nobody is asked again
  const again = await openConnect(guarded.id)
  await again.next('success')
  expect(oauth.count('POST /register')).toBe(1)
})

it('seals tokens, and forgets them with the server and its address', async () => {
  await using oauth = await startOauthServer()
  await using guarded = await protectedServer(oauth)
  await allow(server, guarded)
  const read = async () => {
    const all = statement(
      'test-read-mcp-oauth',
      `select t.sealed from mcp_oauth_tokens as t where t.organization_id = $1 and t.mcp_server_id = $2
      union all select s.sealed from mcp_oauth_sessions as s where s.organization_id = $1 and s.mcp_server_id = $2 and s.sealed <> ''`,
    )
    return server.context.db.query<{ sealed: string }>(all, [DEFAULT_ORGANIZATION_ID, guarded.id])
  }
  const rows = await read()
  expect(rows).toHaveLength(1)
  expect(rows[0]?.sealed).toMatch(/^v1\./)
  const tools = await ask<{ id: string }[]>('GET', `${guarded.path}/tools`)
  const runOnReplica = () =>
    replica.request('POST', `${guarded.path}/tools/${tools.body[0]?.id}/run`, { args: {} }, KEY)
  // this one remembers the tokens too, and is not told of the change
  expect((await runOnReplica()).body).toMatchObject({ status: 'success' })
  await using elsewhere = await startScriptedMcpServer({ tools: [objectTool('guarded')] })
  const config = { mcp_server_type: 'streamable_http', server_url: elsewhere.url }
  await ask('PATCH', guarded.path, { config })
  await runTool(guarded)
  await runOnReplica()
  expect(elsewhere.count('tools/call')).toBe(2)
  for (const { headers } of elsewhere.seen) expect(headers.authorization).toBeUndefined()
  await ask('DELETE', guarded.path)
  expect(await read()).toEqual([])
})

it('takes each way back once, from whoever knows its state', async () => {
  await using oauth = await startOauthServer()
  await using guarded = await protectedServer(oauth)
  const connect = await openConnect(guarded.id)
  const back = await browse((await connect.next('authorization_url')).url ?? '')
  const state = back.searchParams.get('state') ?? ''
  const forged = [
    '?code=x',
    `?code=x&state=${DEFAULT_ORGANIZATION_ID}.guess`,
    '?code=x&state=.x',
    `?code=x&state=org-other.${state.split('.').at(-1)}`,
    '?state=a.b&state=c.d',
    '?state=%00',
  ]
  for (const search of forged) {
    const refused = await server.request('GET', `/v1/tools/mcp/oauth/callback${search}`)
    expect([400, 422], search).toContain(refused.status)
  }
  const both = await Promise.all([comeBack(server, back), comeBack(replica, back)])
  expect(both.map(({ status }) => status).sort()).toEqual([200, 400])
  await connect.next('success')
  expect(await comeBack(server, back)).toMatchObject({
    status: 400,
    body: { message: expect.stringContaining('used already') },
  })
})

it('refuses a session that is over, and a code that another authorization server brings', async () => {
  await using oauth = await startOauthServer()
  await using guarded = await protectedServer(oauth)
  const first = await openConnect(guarded.id)
  const back = await browse((await first.next('authorization_url')).url ?? '')
  const mixed = new URL(back)
  mixed.searchParams.set('iss', 'https://evil.example.com')
  expect(await comeBack(server, mixed)).toMatchObject({ status: 400 })
  await first.ended
  expect(first.events.at(-1)).toMatchObject({ event: 'error', message: expect.stringMatching(/authorization failed/) })
  const second = await openConnect(guarded.id)
  const late = await browse((await second.next('authorization_url')).url ?? '')
  const expire = statement(
    'test-expire-mcp-oauth',
    `update mcp_oauth_sessions set expires_at = now() - interval '1 second' where organization_id = $1 and mcp_server_id = $2`,
  )
  await server.context.db.query(expire, [DEFAULT_ORGANIZATION_ID, guarded.id])
  expect(await comeBack(server, late)).toMatchObject({
    status: 400,
    body: { message: expect.stringContaining('10 minutes') },
  })
  await second.ended
  expect(second.events.at(-1)).toMatchObject({ event: 'error', message: expect.stringContaining('10 minutes') })
})

it('tells a refusal of the person, and nothing that was put into the address', async () => {
  await using oauth = await startOauthServer({ expiresIn: 60, denial: 'access_denied' })
  await using guarded = await protectedServer(oauth)
  const connect = await openConnect(guarded.id)
  const back = await browse((await connect.next('authorization_url')).url ?? '')
  back.searchParams.set('error_description', '<script>alert(1)</script>')
  const refused = await comeBack(server, back, { accept: 'text/html' })
  expect(refused.status).toBe(400)
  expect(refused.body).toMatch(/It was not allowed: access_denied/)
  expect(refused.body).not.toMatch(/script/)
  await connect.ended
  expect(connect.events.at(-1)).toEqual({ event: 'error', message: 'It was not allowed: access_denied.' })
})

it('renews a token that has ended or is refused, on either replica, and asks again when it cannot', async () => {
  await using oauth = await startOauthServer({ expiresIn: 5 })
  await using guarded = await protectedServer(oauth)
  await allow(server, guarded)
  const renewals = () => oauth.count('POST /token') - 1
  // it ends within half a minute, so that it is renewed before it is used
  expect(await runTool(guarded)).toMatchObject({ status: 'success' })
  expect(renewals()).toBeGreaterThan(0)
  oauth.behaviour.expiresIn = 3_600
  await runTool(guarded)
  const before = renewals()
  oauth.revokeAccess()
  expect(await runTool(guarded)).toMatchObject({ status: 'success' })
  expect(renewals()).toBe(before + 1)
  // the other replica knows nothing of it but what the database has
  const tools = await ask<{ id: string }[]>('GET', `${guarded.path}/tools`)
  const path = `${guarded.path}/tools/${tools.body[0]?.id}/run`
  expect((await replica.request('POST', path, { args: {} }, KEY)).body).toMatchObject({ status: 'success' })
  expect(renewals()).toBe(before + 1)
  oauth.revokeAll()
  const failed = await runTool(guarded)
  expect(failed).toMatchObject({
    status: 'error',
    func_return: expect.stringMatching(/wants an authorization.*\/v1\/mcp-servers\/connect\//),
  })
  const connect = await openConnect(guarded.id)
  await connect.next('authorization_url')
  connect.abort()
})

it('keeps the tokens when the authorization server is out of order', async () => {
  await using oauth = await startOauthServer({ expiresIn: 3_600 })
  await using guarded = await protectedServer(oauth)
  await allow(server, guarded)
  oauth.revokeAccess()
  const saved = statement(
    'test-count-mcp-oauth',
    'select count(*) as count from mcp_oauth_tokens where organization_id = $1 and mcp_server_id = $2',
  )
  oauth.behaviour.isBroken = true
  const before = oauth.count('POST /token')
  expect(await runTool(guarded)).toMatchObject({
    status: 'error',
    func_return: expect.stringMatching(/could not be renewed: .*out of order.*Try again later/),
  })
  expect(oauth.count('POST /token')).toBe(before + 1)
  const close = oauth[Symbol.asyncDispose]
  await close()
  expect(await runTool(guarded)).toMatchObject({
    status: 'error',
    func_return: expect.stringMatching(/token has ended and could not be renewed: .*ECONNREFUSED.*Try again later/),
  })
  const [row] = await server.context.db.query<{ count: number }>(saved, [DEFAULT_ORGANIZATION_ID, guarded.id])
  expect(row?.count).toBe(1)
})

it('goes to no address behind this server, whatever an authorization server names', async () => {
  await using oauth = await startOauthServer()
  await using inner = await startScriptedMcpServer({ tools: [] })
  await using guarded = await protectedServer(oauth)
  // 127.0.0.1 is allowed here, and localhost is not
  oauth.behaviour.tokenEndpoint = inner.url.replace('127.0.0.1', '[::1]')
  const connect = await openConnect(guarded.id)
  const back = await browse((await connect.next('authorization_url')).url ?? '')
  expect(await comeBack(server, back)).toMatchObject({
    status: 400,
    body: { message: expect.stringMatching(/::1\]? is not on the public internet/) },
  })
  expect(inner.connections()).toBe(0)
})

it('uses the public address that is set, and no host that is more than one', async () => {
  await using oauth = await startOauthServer()
  await using guarded = await protectedServer(oauth)
  const redirectOf = async (at: TestServer, headers: Record<string, string>) => {
    // a request in process: the stream of events is read as one text once it ends, so the session is ended right away
    const connecting = at.request<string>('GET', `/v1/mcp-servers/connect/${guarded.id}`, undefined, {
      ...KEY,
      ...headers,
    })
    const end = statement(
      'test-end-mcp-oauth',
      `update mcp_oauth_sessions set status = 'failed' where organization_id = $1 and mcp_server_id = $2 returning id`,
    )
    for (;;) {
      const rows = await at.context.db.query(end, [DEFAULT_ORGANIZATION_ID, guarded.id])
      if (rows.length > 0) break
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    const { body } = await connecting
    const remove = statement(
      'test-remove-mcp-oauth',
      'delete from mcp_oauth_sessions where organization_id = $1 and mcp_server_id = $2',
    )
    await at.context.db.query(remove, [DEFAULT_ORGANIZATION_ID, guarded.id])
    const url = /"url":"([^"]+)"/.exec(body)?.[1] ?? expect.fail(body)
    return new URL(url).searchParams.get('redirect_uri')
  }
  const path = '/v1/tools/mcp/oauth/callback'
  expect(await redirectOf(server, { host: 'agents.example.org' })).toBe(`http://agents.example.org${path}`)
  const proxied = { host: 'agents.example.org', 'x-forwarded-proto': 'https' }
  expect(await redirectOf(server, proxied)).toBe(`https://agents.example.org${path}`)
  expect(await redirectOf(server, { host: 'user@evil.example/x?' })).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/v1/)
  const config = { ...server.context.config, publicUrl: 'https://public.example.org/' }
  const named = await startTestServer({ config, db: server.context.db })
  expect(await redirectOf(named, { host: 'evil.example.org' })).toBe(`https://public.example.org${path}`)
  await named.close()
})

it('says nothing secret in its log', () => {
  expect(lines.length).toBeGreaterThan(0)
  expect(lines.filter((line) => /planted-(access|refresh|code|client)/.test(line))).toEqual([])
})
