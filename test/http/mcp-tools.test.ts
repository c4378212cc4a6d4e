import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DEFAULT_ORGANIZATION_ID } from '#platform/ids.ts'
import { statement } from '#store/db.ts'
import { callMcpTool } from '#tools/mcp/call-mcp-tool.ts'
import {
  type McpScript,
  objectTool,
  type ScriptedMcpServer,
  startScriptedMcpServer,
} from '../support/scripted-mcp-server.ts'
import { createTestAgent } from '../support/test-agent.ts'
import { startTestServer, type TestServer } from '../support/test-server.ts'

interface Tool {
  id: string
  name: string
  tool_type: string
  description: string
  tags: string[]
  json_schema: { name: string; parameters: Record<string, unknown> }
  metadata_: { mcp: { server_name: string; server_id: string; tool_name: string; health: { status: string } } }
}
interface Sync {
  added: string[]
  updated: string[]
  deleted: string[]
  skipped: { name: string; reasons: string[] }[]
}

let server: TestServer
const statements: string[] = []
beforeAll(async () => {
  server = await startTestServer({
    config: { mcpAllowedHosts: '127.0.0.1' },
    onStatement: (name) => void statements.push(name),
  })
})
afterAll(async () => {
  await server.close()
})

/** Statements besides those of jobs and transactions. */
const ofMcp = () => statements.filter((name) => /mcp|environment/.test(name))

let names = 0
/** A scripted server and the server that is stored for it. */
async function connected(script: McpScript, config: object = {}, serverName?: string) {
  const scripted = await startScriptedMcpServer(script)
  names += 1
  const server_name = serverName ?? `server ${names}`
  const made = await server.request<{ id: string }>('POST', '/v1/mcp-servers/', {
    server_name,
    config: { mcp_server_type: 'streamable_http', server_url: scripted.url, ...config },
  })
  expect(made.status, JSON.stringify(made.body)).toBe(200)
  const { id } = made.body
  return Object.assign(scripted, {
    id,
    serverName: server_name,
    headers: made.headers,
    path: `/v1/mcp-servers/${id}`,
    older: `/v1/tools/mcp/servers/${encodeURIComponent(server_name)}`,
  })
}
const toolsOf = async ({ path }: { path: string }) => (await server.request<Tool[]>('GET', `${path}/tools`)).body
const toolOf = async (connection: { path: string }, name: string): Promise<Tool> => {
  const tool = (await toolsOf(connection)).find((one) => one.name === name)
  return tool ?? expect.fail(`there is no tool ${name}`)
}
const refresh = async ({ path }: { path: string }, query = '') =>
  (await server.request<Sync>('PATCH', `${path}/refresh${query}`)).body
const run = async (connection: { path: string }, name: string, args: object = {}) => {
  const { id } = await toolOf(connection, name)
  return (await server.request('POST', `${connection.path}/tools/${id}/run`, { args })).body
}

describe('tools of a server', () => {
  it('are stored when it is, all 200 of many pages, and in few statements', async () => {
    const remote = Array.from({ length: 200 }, (_, index) => objectTool(`many_${index}`, { x: { type: 'string' } }))
    statements.length = 0
    await using many = await connected({ tools: remote, pageSize: 9 })
    expect(ofMcp()).toEqual([
      'insert-mcp-server',
      'load-tool-environment',
      'find-mcp-oauth-tokens',
      'lock-mcp-server',
      'list-mcp-named-tools',
      'write-mcp-tools',
      'save-mcp-sync',
      'find-mcp-server',
    ])
    const tools = await toolsOf(many)
    expect(tools).toHaveLength(200)
    expect(many.headers['x-mcp-last-error']).toBeUndefined()
    expect(tools.find(({ name }) => name === 'many_7')).toMatchObject({
      id: expect.stringMatching(/^tool-/),
      tool_type: 'external_mcp',
      description: 'does many_7',
      tags: [`mcp:${many.serverName}`],
      json_schema: {
        name: 'many_7',
        description: 'does many_7',
        parameters: { type: 'object', properties: { x: { type: 'string' } }, additionalProperties: false },
      },
      metadata_: {
        mcp: {
          server_name: many.serverName,
          server_id: many.id,
          tool_name: 'many_7',
          health: { status: 'NON_STRICT_ONLY' },
        },
      },
    })
    statements.length = 0
    expect(await refresh(many)).toEqual({ added: [], updated: [], deleted: [], skipped: [] })
    expect(ofMcp().length).toBeLessThan(9)
  })

  it('follow what the server has: new, changed and gone, which agents lose', async () => {
    await using changing = await connected({ tools: [objectTool('stays'), objectTool('changes'), objectTool('goes')] })
    const before = await toolsOf(changing)
    const goes = await toolOf(changing, 'goes')
    const stays = await toolOf(changing, 'stays')
    const agentId = await createTestAgent(server.context.db, server.context.models, { tool_ids: [goes.id, stays.id] })
    // how a tool is used here is not the server's
    await server.request('PATCH', `/v1/tools/${stays.id}`, {
      default_requires_approval: true,
      metadata_: { ...stays.metadata_, own: 1 },
    })
    changing.script.tools = [
      objectTool('stays'),
      { ...objectTool('changes', { y: { type: 'integer' } }), description: 'does something else' },
      objectTool('comes'),
    ]
    expect(await refresh(changing)).toEqual({ added: ['comes'], updated: ['changes'], deleted: ['goes'], skipped: [] })
    const after = await toolsOf(changing)
    expect(after.map(({ name }) => name)).toEqual(['changes', 'comes', 'stays'])
    const idOf = (tools: Tool[]) => tools.find(({ name }) => name === 'changes')?.id
    expect(idOf(after)).toBe(idOf(before))
    expect(await toolOf(changing, 'changes')).toMatchObject({ description: 'does something else' })
    expect(await toolOf(changing, 'stays')).toMatchObject({ default_requires_approval: true, metadata_: { own: 1 } })
    const attached = await server.request<Tool[]>('GET', `/v1/agents/${agentId}/tools`)
    const ofServer = attached.body.filter(({ tool_type }) => tool_type === 'external_mcp')
    expect(ofServer.map(({ name }) => name)).toEqual(['stays'])
    const resynced = await server.request<Sync>('POST', `${changing.older}/resync`)
    expect(resynced.body).toEqual({ added: [], updated: [], deleted: [], skipped: [] })
  })

  it('with schemas that cannot be told are left out and named', async () => {
    const bad = {
      ...objectTool('bad'),
      inputSchema: { type: 'object' as const, properties: { a: { $ref: '#/nowhere' } } },
    }
    await using mixed = await connected({ tools: [objectTool('good'), bad] })
    expect((await toolsOf(mixed)).map(({ name }) => name)).toEqual(['good'])
    const { skipped } = await refresh(mixed)
    expect(skipped).toEqual([{ name: 'bad', reasons: [expect.stringContaining('#/nowhere')] }])
    const added = await server.request('POST', `${mixed.older}/bad`)
    expect(added).toMatchObject({
      status: 400,
      body: { detail: expect.stringMatching(/JSON schema is invalid. Reasons: .*nowhere/) },
    })
  })

  it('do not take the names of others, and are called by their own', async () => {
    const source = { source_code: 'def shared():\n    """Mine."""\n', json_schema: { name: 'shared' } }
    const own = await server.request<Tool>('POST', '/v1/tools/', source)
    const long = `long_${'x'.repeat(60)}`
    const tools = ['shared', 'memory_insert', long, `${long}y`, 'with.dots/and more'].map((name) => objectTool(name))
    await using first = await connected({ tools }, {}, 'one')
    await using second = await connected({ tools }, {}, 'two')
    const all = [...(await toolsOf(first)), ...(await toolsOf(second))]
    expect(new Set(all.map(({ name }) => name)).size).toBe(10)
    for (const { name, json_schema } of all) {
      expect(name).toMatch(/^[\w-]{1,48}$/)
      expect(json_schema.name).toBe(name)
    }
    expect(all.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['one_shared', 'two_shared', 'one_memory_insert']),
    )
    expect((await server.request('GET', `/v1/tools/${own.body.id}`)).body).toEqual(own.body)
    for (const { name, metadata_ } of await toolsOf(second)) {
      const answer = await run(second, name)
      expect(answer.func_return).toBe(`${metadata_.mcp.tool_name} was called`)
    }
    expect(await refresh(second)).toEqual({ added: [], updated: [], deleted: [], skipped: [] })
  })

  it('of two servers that are refreshed at once get different names', async () => {
    await using a = await connected({ tools: [] })
    await using b = await connected({ tools: [] })
    a.script.tools = b.script.tools = Array.from({ length: 20 }, (_, index) => objectTool(`raced_${index}`))
    const both = await Promise.all([refresh(a), refresh(b), refresh(a), refresh(b)])
    expect(both.flatMap(({ added }) => added)).toHaveLength(40)
    expect(new Set(both.flatMap(({ added }) => added)).size).toBe(40)
  })

  it('know their server by its new name', async () => {
    await using renamed = await connected({ tools: [objectTool('of_renamed')] })
    const config = { mcp_server_type: 'streamable_http' }
    await server.request('PATCH', renamed.path, { server_name: 'after', config })
    const { id } = await toolOf(renamed, 'of_renamed')
    const tool = (await server.request<Tool>('GET', `/v1/tools/${id}`)).body
    expect(tool).toMatchObject({
      tags: ['mcp:after'],
      metadata_: { mcp: { server_name: 'after', tool_name: 'of_renamed' } },
    })
  })

  it('stay when the server does not answer, which is told', async () => {
    await using gone = await connected({ tools: [objectTool('of_gone')] })
    await gone.close()
    const answer = await server.request('PATCH', `${gone.path}/refresh`)
    expect(answer).toMatchObject({
      status: 404,
      body: { detail: { code: 'MCPServerUnavailable', reason: 'unreachable' } },
    })
    expect(await toolsOf(gone)).toHaveLength(1)
    const told = await server.request('GET', gone.path)
    expect(told.headers['x-mcp-last-error']).toMatch(/cannot be reached/)
    await gone.open()
    await refresh(gone)
    expect((await server.request('GET', gone.path)).headers['x-mcp-last-error']).toBeUndefined()
  })
})

describe('running', () => {
  it('gives what the server said, or why it did not', async () => {
    const call: McpScript['call'] = (_name, args) => {
      if (args.fail) return { content: [{ type: 'text', text: 'no such file' }], isError: true }
      if (args.throw) throw new Error('broken inside')
      return {
        content: [
          { type: 'text', text: 'one' },
          { type: 'text', text: JSON.stringify(args) },
        ],
      }
    }
    await using running = await connected({ tools: [objectTool('runs')], call })
    expect(await run(running, 'runs', { a: 1 })).toMatchObject({
      status: 'success',
      func_return: 'one {"a":1}',
      stderr: [],
    })
    expect(await run(running, 'runs', { fail: true })).toMatchObject({
      status: 'error',
      func_return: 'no such file',
      stderr: ['no such file'],
    })
    expect(await run(running, 'runs', { throw: true })).toMatchObject({
      status: 'error',
      func_return: expect.stringMatching(/answered with an error: broken inside/),
    })
    running.script.call = () => ({ content: [] })
    expect(await run(running, 'runs')).toMatchObject({ status: 'success', func_return: 'Empty response from tool' })
    await running.close()
    expect(await run(running, 'runs')).toMatchObject({
      status: 'error',
      func_return: expect.stringMatching(/MCP server 'server \d+' (cannot be reached|broke)/),
    })
  })

  it('fills templates from the secrets of the agent, and never tells them', async () => {
    const call: McpScript['call'] = (_name, _args, { headers }) => ({
      content: [
        { type: 'text', text: ['authorization', 'x-key', 'x-agent-id'].map((name) => headers.get(name)).join(' ') },
      ],
    })
    await using templated = await connected(
      { tools: [objectTool('templated')], call },
      { auth_token: '{{ TOKEN }}', custom_headers: { 'X-Key': 'k-{{ KEY | none }}' } },
    )
    expect(templated.headers['x-mcp-last-error']).toMatch(
      /needs the variable TOKEN, which is not set.*secrets of the agent/,
    )
    expect(templated.seen).toEqual([])
    const agent = await server.request<{ id: string }>('POST', '/v1/agents/', {
      model: 'openai/gpt-4o-mini',
      secrets: { TOKEN: 'planted-secret' },
    })
    const agentId = agent.body.id
    expect(await refresh(templated, `?agent_id=${agentId}`)).toMatchObject({ added: ['templated'] })
    const tool = await toolOf(templated, 'templated')
    const { db, secrets, mcp } = server.context
    const request = { organizationId: DEFAULT_ORGANIZATION_ID, tool, args: {}, agentId }
    const signal = new AbortController().signal
    const outcome = await callMcpTool({ db, secrets, pool: mcp }, request, signal)
    expect(outcome).toEqual({ status: 'success', text: `Bearer planted-secret k-none ${agentId}` })
    const given = await callMcpTool(
      { db, secrets, pool: mcp },
      { ...request, variables: { TOKEN: 'given', KEY: 'x' } },
      signal,
    )
    expect(given.text).toBe(`Bearer given k-x ${agentId}`)
    templated.script.intercept = (incoming, response) => {
      response.writeHead(400).end(`I do not know ${incoming.headers.authorization}`)
      return true
    }
    const failed = await callMcpTool({ db, secrets, pool: mcp }, request, signal)
    expect(failed.text).toMatch(/I do not know Bearer \[redacted\]/)
    expect(failed.text).not.toContain('planted')
    const by = await run(templated, 'templated')
    expect(by).toMatchObject({ status: 'error', func_return: expect.stringMatching(/needs the variable TOKEN/) })
  })

  it('holds no database connection while the server works', async () => {
    const release = Promise.withResolvers<void>()
    let working = 0
    const call = async () => {
      working += 1
      await release.promise
      return { content: [] }
    }
    await using slow = await connected({ tools: [objectTool('slow')], call })
    const { id } = await toolOf(slow, 'slow')
    const path = `${slow.path}/tools/${id}/run`
    // more than there are connections
    const calls = Array.from({ length: 40 }, () => server.request('POST', path, { args: {} }))
    while (working < 40) await new Promise((resolve) => setTimeout(resolve, 10))
    expect((await server.request('GET', slow.path)).status).toBe(200)
    release.resolve()
    for (const { status } of await Promise.all(calls)) expect(status).toBe(200)
  })

  it('is cancelled at the server when the client goes', async () => {
    const stopped = Promise.withResolvers<void>()
    const started = Promise.withResolvers<void>()
    const call = (_name: string, _args: object, { signal }: { signal: AbortSignal }) => {
      started.resolve()
      return new Promise<never>(() => signal.addEventListener('abort', () => stopped.resolve()))
    }
    await using slow = await connected({ tools: [objectTool('cancelled')], call })
    const { id } = await toolOf(slow, 'cancelled')
    const client = new AbortController()
    const asked = fetch(`${await server.baseUrl()}${slow.path}/tools/${id}/run`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"args":{}}',
      signal: client.signal,
    })
    await started.promise
    client.abort()
    await expect(asked).rejects.toThrow()
    await stopped.promise
  })

  it('of a tool whose server is not known says so', async () => {
    const insert = statement(
      'test-insert-orphan-tool',
      `insert into tools (organization_id, id, name, tool_type, json_schema) values ($1, $2, 'orphan', 'external_mcp', '{"name": "orphan"}')`,
    )
    const id = 'tool-00000000-0000-4000-8000-00000000000f'
    await server.context.db.query(insert, [DEFAULT_ORGANIZATION_ID, id])
    const { db, secrets, mcp } = server.context
    const request = { organizationId: DEFAULT_ORGANIZATION_ID, tool: { id, name: 'orphan' }, args: {}, agentId: null }
    const outcome = await callMcpTool({ db, secrets, pool: mcp }, request, new AbortController().signal)
    expect(outcome).toMatchObject({
      status: 'error',
      text: expect.stringMatching(/`orphan` was not run: .*Add the server/),
    })
  })

  it('asks where a server has moved to', async () => {
    await using old = await connected({ tools: [objectTool('moves')] })
    await using next: ScriptedMcpServer = await startScriptedMcpServer({
      tools: [objectTool('moves')],
      call: () => ({ content: [{ type: 'text', text: 'the new one' }] }),
    })
    expect(await run(old, 'moves')).toMatchObject({ func_return: 'moves was called' })
    await server.request('PATCH', old.path, { config: { mcp_server_type: 'streamable_http', server_url: next.url } })
    expect(await run(old, 'moves')).toMatchObject({ func_return: 'the new one' })
  })
})

describe('the older routes', () => {
  it('list, take over, try, run and connect', async () => {
    await using older = await connected({ tools: [] })
    older.script.tools = [objectTool('first_of_older'), objectTool('second.of.older')]
    const listed = await server.request<{ name: string; health: object }[]>('GET', `${older.older}/tools`)
    expect(listed.body).toMatchObject([
      { name: 'first_of_older', health: { status: 'STRICT_COMPLIANT' }, inputSchema: { additionalProperties: false } },
      { name: 'second.of.older' },
    ])
    expect(await toolsOf(older)).toEqual([])
    const added = await server.request<Tool>('POST', `${older.older}/second.of.older`)
    expect(added.body).toMatchObject({ name: 'second_of_older', tool_type: 'external_mcp' })
    expect((await toolsOf(older)).map(({ id }) => id)).toEqual([added.body.id])
    expect(await server.request('POST', `${older.older}/none`)).toMatchObject({
      status: 400,
      body: { detail: expect.stringMatching(/Tool none not found.*available tools: first_of_older, second.of.older/) },
    })
    for (const name of ['second.of.older', 'second_of_older', 'first_of_older']) {
      const done = await server.request('POST', `${older.older}/tools/${name}/execute`, { args: {} })
      expect(done.body).toEqual({
        result: `${name.startsWith('first') ? name : 'second.of.older'} was called`,
        success: true,
      })
    }
    const config = { server_name: 'tried', type: 'streamable_http', server_url: older.url }
    const tried = await server.request<{ status: string; tools: object[] }>(
      'POST',
      '/v1/tools/mcp/servers/test',
      config,
    )
    expect(tried.body.status).toBe('success')
    expect(tried.body.tools).toHaveLength(2)
    const stream = await server.request<string>('POST', '/v1/tools/mcp/servers/connect', config)
    const events = stream.body
      .split('\n\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line.replace(/^data: /, '')))
    expect(events).toEqual([
      { event: 'connection_attempt', server_name: 'tried' },
      { event: 'success', tools: listed.body },
    ])
    const servers = await server.request<Record<string, object>>('GET', '/v1/tools/mcp/servers')
    expect(Object.keys(servers.body)).not.toContain('tried')
    // nothing is kept open for what is not stored
    const before = server.context.mcp.size
    await server.request('POST', '/v1/tools/mcp/servers/test', config)
    expect(server.context.mcp.size).toBe(before)
  })
})

it('another organisation has neither the tools nor the connection', async () => {
  const { headers } = await server.addOrganization()
  await using mine = await connected({ tools: [objectTool('mine_alone')] }, { auth_token: 'planted' })
  const { id } = await toolOf(mine, 'mine_alone')
  const asked = mine.seen.length
  expect((await server.request('POST', `${mine.path}/tools/${id}/run`, { args: {} }, headers)).status).toBe(404)
  expect((await server.request('GET', `/v1/tools/${id}`, undefined, headers)).status).toBe(404)
  expect(mine.seen).toHaveLength(asked)
})
