import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseAllowedHosts } from '#platform/allowed-hosts.ts'
import { createLogger } from '#platform/logger.ts'
import { SecretBox } from '#platform/secret-box.ts'
import type { Db } from '#store/db.ts'
import { buildConfinedCommand } from '#tools/sandbox/python/build-confined-command.ts'
import { EVERYTHING, FILESYSTEM, MEMORY, startEverything } from '../../../test/support/mcp-everything.ts'
import { objectTool, startScriptedMcpServer } from '../../../test/support/scripted-mcp-server.ts'
import { openTestDatabase } from '../../../test/support/test-database.ts'
import { McpFailure } from './mcp-failure.ts'
import { McpPool, type McpPoolOptions } from './mcp-pool.ts'
import type { McpEndpoint, McpTarget } from './mcp-target.ts'

let db: Db
beforeAll(async () => {
  db = await openTestDatabase()
})
afterAll(async () => {
  await db[Symbol.asyncDispose]()
})

type PoolChange = Partial<Omit<McpPoolOptions, 'limits'>> & { limits?: Partial<McpPoolOptions['limits']> }

const poolWith = ({ limits = {}, ...change }: PoolChange = {}) =>
  new McpPool({
    db,
    secrets: new SecretBox('a key for tests of sixteen'),
    logger: createLogger({ level: 'silent', format: 'json' }),
    limits: {
      connectTimeoutMs: 20_000,
      listTimeoutMs: 20_000,
      callTimeoutMs: 20_000,
      idleTimeoutMs: 300_000,
      maxConnections: 10,
      maxResponseBytes: 1_000_000,
      ...limits,
    },
    guard: { allowsPrivate: true, allowed: parseAllowedHosts('') },
    programs: { stdio: 'unconfined', readPaths: [] },
    ...change,
  })

let targets = 0
function targetOf(endpoint: McpEndpoint, change: Partial<McpTarget> = {}): McpTarget {
  targets += 1
  return {
    organizationId: 'org-test',
    serverId: `mcp_server-${targets}`,
    serverName: 'tested',
    endpoint,
    storedUrl: null,
    mayUseOauth: false,
    key: `org-test mcp_server-${targets} x`,
    secrets: [],
    ...change,
  }
}
const httpTarget = (url: string, headers: Record<string, string> = {}, change: Partial<McpTarget> = {}) =>
  targetOf({ type: 'streamable_http', url: new URL(url), headers }, change)

const call = (name: string, args: Record<string, unknown> = {}, agentId: string | null = null) => ({
  name,
  args,
  agentId,
})
const failureOf = (work: Promise<unknown>): Promise<McpFailure> =>
  work.then(
    () => expect.fail('it did not fail'),
    (error) => {
      expect(error).toBeInstanceOf(McpFailure)
      return error
    },
  )

describe('the reference server', () => {
  it.each(['streamableHttp', 'sse'] as const)('lists and calls over %s', async (transport) => {
    await using everything = await startEverything(transport)
    await using pool = poolWith()
    const type = transport === 'sse' ? 'sse' : 'streamable_http'
    const target = targetOf({ type, url: new URL(everything.url), headers: {} })
    const tools = await pool.listTools(target)
    expect(tools.map(({ name }) => name)).toContain('echo')
    const answer = await pool.callTool(target, call('echo', { message: 'hello' }))
    expect(answer.content).toEqual([{ type: 'text', text: 'Echo: hello' }])
    expect(pool.size).toBe(1)
  })

  it.each(['streamableHttp', 'sse'] as const)(
    'that is killed during a call over %s interrupts it',
    async (transport) => {
      await using everything = await startEverything(transport)
      await using pool = poolWith()
      const type = transport === 'sse' ? 'sse' : 'streamable_http'
      const target = targetOf({ type, url: new URL(everything.url), headers: {} })
      const tools = await pool.listTools(target)
      const name = tools.find((tool) => tool.name.includes('long-running'))?.name ?? expect.fail('no long tool')
      const before = everything.messages()
      const failing = failureOf(pool.callTool(target, call(name, { duration: 60, steps: 60 })))
      await until(() => everything.messages() > before)
      // it writes the head of its answer next
      await tick()
      await everything.kill()
      const failure = await failing
      expect(failure).toMatchObject({ kind: 'interrupted', isUnsent: false })
      expect(failure.message).toMatch(/broke the connection during the call/)
      expect(await failureOf(pool.callTool(target, call('echo', { message: 'x' })))).toMatchObject({
        kind: 'unreachable',
      })
    },
  )

  it('lists and calls over stdio', async () => {
    await using pool = poolWith()
    const target = targetOf({
      type: 'stdio',
      command: process.execPath,
      args: [EVERYTHING, 'stdio'],
      env: { ONLY: 'this' },
    })
    expect((await pool.listTools(target)).map(({ name }) => name)).toContain('get-env')
    const answer = await pool.callTool(target, call('get-env'))
    const [part] = answer.content
    const env = JSON.parse(part?.type === 'text' ? part.text : '{}') as Record<string, string>
    expect(Object.keys(env).sort()).toEqual(['HOME', 'ONLY', 'PATH'])
  })
})

const textOf = ({ content }: { content: { type: string; text?: string }[] }) =>
  content.map(({ text }) => text).join(' ')
const tick = () => new Promise((resolve) => setTimeout(resolve, 20))
async function until(isSo: () => boolean): Promise<void> {
  for (let attempt = 0; attempt < 500; attempt += 1) {
    if (isSo()) return
    await tick()
  }
  expect.fail('it did not come about')
}

describe('lists of tools', () => {
  it.each(['legacy', 'modern'] as const)('have all of 200 tools, on pages, in the %s protocol', async (era) => {
    const names = Array.from({ length: 200 }, (_, index) => `tool_${index}`)
    await using server = await startScriptedMcpServer({
      tools: names.map((name) => objectTool(name)),
      pageSize: 7,
      era,
    })
    await using pool = poolWith()
    const target = httpTarget(server.url)
    const tools = await pool.listTools(target)
    expect(tools.map(({ name }) => name)).toEqual(names)
    expect(server.count('tools/list')).toBe(29)
    expect(textOf(await pool.callTool(target, call('tool_3')))).toBe('tool_3 was called')
  })

  it('that never end are refused', async () => {
    let page = 0
    const list = () => {
      page += 1
      return { tools: [objectTool(`tool_${page}`)], nextCursor: 'again' }
    }
    await using server = await startScriptedMcpServer({ tools: [], list })
    await using pool = poolWith()
    const target = httpTarget(server.url)
    expect((await failureOf(pool.listTools(target))).message).toMatch(/same page of its tools again and again/)
    expect(server.count('tools/list')).toBe(2)
    server.script.list = () => {
      page += 1
      return { tools: [objectTool(`tool_${page}`)], nextCursor: String(page) }
    }
    expect((await failureOf(pool.listTools(target))).message).toMatch(/more than 100 pages/)
    expect(server.count('tools/list')).toBe(102)
    server.script.list = () => {
      page += 1
      return { tools: Array.from({ length: 900 }, () => objectTool('x')), nextCursor: String(page) }
    }
    expect((await failureOf(pool.listTools(target))).message).toMatch(/more than 2000 tools/)
  })
})

describe('connections', () => {
  it('are made once for many at once, and shared', async () => {
    await using server = await startScriptedMcpServer({ tools: [objectTool('a')] })
    await using pool = poolWith()
    const target = httpTarget(server.url)
    await Promise.all(Array.from({ length: 20 }, () => pool.callTool(target, call('a'))))
    expect(server.count('initialize')).toBe(1)
    expect(server.count('tools/call')).toBe(20)
    // no stream that nobody reads is opened
    expect(server.seen.filter(({ httpMethod }) => httpMethod === 'GET')).toEqual([])
  })

  it('are different ones for different secrets, and carry them and the agent', async () => {
    await using server = await startScriptedMcpServer({ tools: [objectTool('a')] })
    await using pool = poolWith()
    const one = httpTarget(server.url, { Authorization: 'Bearer one', 'X-Custom': 'c' })
    const two = { ...httpTarget(server.url, { Authorization: 'Bearer two' }), serverId: one.serverId }
    await pool.callTool(one, call('a', {}, 'agent-1'))
    await pool.callTool(one, call('a', {}, 'agent-2'))
    await pool.callTool(two, call('a'))
    expect(server.count('initialize')).toBe(2)
    const calls = server.seen.filter(({ method }) => method === 'tools/call')
    expect(calls.map(({ headers }) => [headers.authorization, headers['x-custom'], headers['x-agent-id']])).toEqual([
      ['Bearer one', 'c', 'agent-1'],
      ['Bearer one', 'c', 'agent-2'],
      ['Bearer two', undefined, undefined],
    ])
  })

  it('are as many as allowed: the one that was used longest ago goes', async () => {
    await using server = await startScriptedMcpServer({ tools: [objectTool('a')] })
    await using pool = poolWith({ limits: { maxConnections: 2 } })
    const [a, b, c] = [httpTarget(server.url), httpTarget(server.url), httpTarget(server.url)]
    await pool.callTool(a, call('a'))
    await pool.callTool(b, call('a'))
    await pool.callTool(a, call('a'))
    await pool.callTool(c, call('a'))
    expect(pool.size).toBe(2)
    await pool.callTool(a, call('a'))
    expect(server.count('initialize')).toBe(3)
    await pool.callTool(b, call('a'))
    expect(server.count('initialize')).toBe(4)
  })

  it('that are all in use make the next one wait for another time', async () => {
    const release = Promise.withResolvers<void>()
    const hang = async () => {
      await release.promise
      return { content: [] }
    }
    await using server = await startScriptedMcpServer({ tools: [objectTool('a')], call: hang })
    await using pool = poolWith({ limits: { maxConnections: 1 } })
    const first = pool.callTool(httpTarget(server.url), call('a'))
    await until(() => server.count('tools/call') === 1)
    expect(await failureOf(pool.callTool(httpTarget(server.url), call('a')))).toMatchObject({
      kind: 'busy',
      isUnsent: true,
    })
    release.resolve()
    await first
  })

  it('that nobody uses are closed, and what is forgotten at once', async () => {
    await using server = await startScriptedMcpServer({ tools: [objectTool('a')] })
    await using pool = poolWith({ limits: { idleTimeoutMs: 50 } })
    const target = httpTarget(server.url)
    await pool.callTool(target, call('a'))
    await until(() => pool.size === 0)
    await pool.callTool(target, call('a'))
    expect(server.count('initialize')).toBe(2)
    await pool.forget(target.organizationId, target.serverId)
    expect(pool.size).toBe(0)
    // and the server is told, so that it need not keep the sessions
    expect(server.seen.filter(({ httpMethod }) => httpMethod === 'DELETE')).toHaveLength(2)
  })
})

describe('a server that fails', () => {
  it('is not asked again for a moment, unless a person asks', async () => {
    await using server = await startScriptedMcpServer({ tools: [objectTool('a')] })
    await using pool = poolWith()
    const target = httpTarget(server.url)
    await server.close()
    const first = await failureOf(pool.callTool(target, call('a')))
    expect(first).toMatchObject({ kind: 'unreachable', isUnsent: true })
    expect(first.message).toMatch(/cannot be reached: .*ECONNREFUSED.* See whether it is running/)
    await server.open()
    const second = await failureOf(pool.callTool(target, call('a')))
    expect(second).toMatchObject({ kind: 'backing-off' })
    expect(second.message).toMatch(/ECONNREFUSED.*It is not asked again for 1 s/)
    expect(server.seen).toEqual([])
    expect(await pool.listTools(target, { isForced: true })).toHaveLength(1)
    // and that it answers is remembered
    await pool.callTool(target, call('a'))
  })

  it('and was restarted is connected to again, since it has not done anything', async () => {
    await using server = await startScriptedMcpServer({ tools: [objectTool('a')] })
    await using pool = poolWith()
    const target = httpTarget(server.url)
    await pool.callTool(target, call('a'))
    await server.close()
    await server.open()
    // the sockets of before are seen to be closed; one that closes just as a call is written is no restart but an interruption
    for (let turn = 0; turn < 10; turn += 1) await tick()
    expect(server.sessions.size).toBe(0)
    expect(textOf(await pool.callTool(target, call('a')))).toBe('a was called')
    expect(server.count('initialize')).toBe(2)
    // the second of three was refused for its session
    expect(server.count('tools/call')).toBe(3)
  })

  it.each([
    ['before', false],
    ['after', true],
  ])('during a call, %s its answer began, is not called again', async (_when, hasHead) => {
    let cuts = 0
    await using server = await startScriptedMcpServer({
      tools: [objectTool('a')],
      intercept: (_request, response, body) => {
        if (!body.includes('tools/call')) return false
        cuts += 1
        if (!hasHead) response.socket?.destroy()
        else {
          response.writeHead(200, { 'content-type': 'text/event-stream' })
          response.write(': wait\n\n', () => response.socket?.destroy())
        }
        return true
      },
    })
    await using pool = poolWith()
    const failure = await failureOf(pool.callTool(httpTarget(server.url), call('a')))
    expect(cuts).toBe(1)
    expect(failure).toMatchObject({ kind: 'interrupted', isUnsent: false })
    expect(failure.message).toMatch(/broke the connection during the call.*What the tool did is not known/)
  })

  it('to end its answer although it began well', async () => {
    let asked = 0
    await using server = await startScriptedMcpServer({
      tools: [objectTool('a')],
      intercept: (_request, response, body) => {
        if (!body.includes('tools/call')) return false
        asked += 1
        response.writeHead(200, { 'content-type': 'text/event-stream' }).end(': nothing\n\n')
        return true
      },
    })
    await using pool = poolWith()
    const failure = await failureOf(pool.callTool(httpTarget(server.url), call('a')))
    expect(asked).toBe(1)
    expect(failure.message).toMatch(/connection was cut before the answer came/)
  })

  it('to answer in time is told to stop', async () => {
    const stopped = Promise.withResolvers<void>()
    const hang = (_name: string, _args: object, { signal }: { signal: AbortSignal }) =>
      new Promise<never>(() => signal.addEventListener('abort', () => stopped.resolve()))
    await using server = await startScriptedMcpServer({ tools: [objectTool('a')], call: hang })
    await using pool = poolWith({ limits: { callTimeoutMs: 300 } })
    const failure = await failureOf(pool.callTool(httpTarget(server.url), call('a')))
    expect(failure).toMatchObject({ kind: 'time-out' })
    expect(failure.message).toMatch(/did not answer in 0.3 s while calling. The tool may still have taken effect/)
    await stopped.promise
  })

  it('to answer at all does not hold up a connection for ever', async () => {
    let hung = 0
    await using server = await startScriptedMcpServer({
      tools: [],
      intercept: () => {
        hung += 1
        return true
      },
    })
    await using pool = poolWith({ limits: { connectTimeoutMs: 1_000 } })
    expect((await failureOf(pool.listTools(httpTarget(server.url)))).message).toMatch(
      /did not answer in 1 s while connecting/,
    )
    const sse = targetOf({ type: 'sse', url: new URL(server.url), headers: {} })
    expect((await failureOf(pool.listTools(sse))).message).toMatch(/did not answer in 1 s while connecting/)
    expect(hung).toBe(2)
    expect(pool.size).toBe(0)
  })

  it.each([
    ['with HTML', 200, 'text/html', '<html>', /Unexpected content type: text\/html/],
    ['with a fault', 503, 'text/plain', 'out of order', /HTTP 503: .*out of order/],
    ['with a refusal', 403, 'text/plain', 'no', /refused the request \(HTTP 403\).*auth_token/],
    ['with what is no JSON', 200, 'application/json', '{"a', /failed while connecting|gave no valid answer/],
  ])('%s is explained', async (_what, status, type, body, expected) => {
    let answers = 0
    await using server = await startScriptedMcpServer({
      tools: [],
      intercept: (_request, response) => {
        answers += 1
        response.writeHead(status, { 'content-type': type }).end(body)
        return true
      },
    })
    await using pool = poolWith()
    expect((await failureOf(pool.listTools(httpTarget(server.url)))).message).toMatch(expected)
    expect(answers).toBeGreaterThan(0)
  })
})

describe('a call that is cancelled', () => {
  it.each(['legacy', 'modern'] as const)('is cancelled at the server, in the %s protocol', async (era) => {
    const stopped = Promise.withResolvers<void>()
    const hang = (_name: string, _args: object, { signal }: { signal: AbortSignal }) =>
      new Promise<never>(() => signal.addEventListener('abort', () => stopped.resolve()))
    await using server = await startScriptedMcpServer({ tools: [objectTool('a')], call: hang, era })
    await using pool = poolWith()
    const abort = new AbortController()
    const failing = failureOf(pool.callTool(httpTarget(server.url), call('a'), { signal: abort.signal }))
    await until(() => server.count('tools/call') === 1)
    abort.abort('cancelled')
    expect(await failing).toMatchObject({ kind: 'cancelled' })
    await stopped.promise
  })

  it('while the connection is being made leaves that to the others', async () => {
    const go = Promise.withResolvers<void>()
    await using server = await startScriptedMcpServer({
      tools: [objectTool('a')],
      intercept: async () => {
        await go.promise
        return false
      },
    })
    await using pool = poolWith()
    const target = httpTarget(server.url)
    const abort = new AbortController()
    const cancelled = failureOf(pool.callTool(target, call('a'), { signal: abort.signal }))
    const other = pool.callTool(target, call('a'))
    await until(() => server.seen.length === 1)
    abort.abort()
    expect(await cancelled).toMatchObject({ kind: 'cancelled' })
    go.resolve()
    expect(textOf(await other)).toBe('a was called')
    expect(server.count('initialize')).toBe(1)
  })
})

it('a pool that is closed gives up connecting, and waits for nobody', async () => {
  let hung = 0
  await using server = await startScriptedMcpServer({
    tools: [],
    intercept: () => {
      hung += 1
      return true
    },
  })
  const pool = poolWith({ limits: { connectTimeoutMs: 3_600_000 } })
  const failing = failureOf(pool.listTools(httpTarget(server.url)))
  await until(() => hung === 1)
  await pool[Symbol.asyncDispose]()
  expect(await failing).toMatchObject({ kind: 'cancelled' })
  expect(await failureOf(pool.listTools(httpTarget(server.url)))).toMatchObject({ kind: 'busy' })
})

it('a server that was slow is asked whether it is there before it is used again', async () => {
  const slow = new Promise<never>(() => {})
  await using server = await startScriptedMcpServer({ tools: [objectTool('a')], call: () => slow })
  await using pool = poolWith({ limits: { callTimeoutMs: 2_000 } })
  const target = httpTarget(server.url)
  await failureOf(pool.callTool(target, call('a')))
  expect(server.count('ping')).toBe(0)
  server.script.call = () => ({ content: [] })
  await pool.callTool(target, call('a'))
  expect(server.count('ping')).toBe(1)
  await pool.callTool(target, call('a'))
  expect(server.count('ping')).toBe(1)
  expect(server.count('initialize')).toBe(1)
})

describe('answers that are too large', () => {
  const huge = 'x'.repeat(2_000_000)

  it.each(['legacy', 'modern'] as const)('end the call, in the %s protocol', async (era) => {
    const give = () => ({ content: [{ type: 'text' as const, text: huge }] })
    await using server = await startScriptedMcpServer({ tools: [objectTool('a')], call: give, era })
    await using pool = poolWith()
    const target = httpTarget(server.url)
    const failure = await failureOf(pool.callTool(target, call('a')))
    expect(failure).toMatchObject({ kind: 'too-large' })
    expect(failure.message).toMatch(/more than 1000000 bytes \(PERDURE_MCP_MAX_RESPONSE_SIZE\)/)
    server.script.call = () => ({ content: [{ type: 'text', text: 'x'.repeat(900_000) }] })
    expect(textOf(await pool.callTool(target, call('a')))).toHaveLength(900_000)
  })

  it('end the connection, where they are answers to it', async () => {
    await using server = await startScriptedMcpServer({
      tools: [],
      intercept: (_request, response) => {
        response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(huge))
        return true
      },
    })
    await using pool = poolWith()
    expect(await failureOf(pool.listTools(httpTarget(server.url)))).toMatchObject({ kind: 'too-large' })
  })

  it('do not add up: a stream may be longer than one of its events', async () => {
    const list = () => ({
      tools: Array.from({ length: 1_000 }, (_, index) => ({
        ...objectTool(`t${index}`),
        description: 'x'.repeat(800),
      })),
    })
    await using server = await startScriptedMcpServer({ tools: [], list, era: 'legacy' })
    await using pool = poolWith()
    const target = httpTarget(server.url)
    for (let round = 0; round < 3; round += 1) expect(await pool.listTools(target)).toHaveLength(1_000)
  })
})

describe('addresses', () => {
  const guard = (allowed: string) => ({ guard: { allowsPrivate: false, allowed: parseAllowedHosts(allowed) } })

  it.each(['streamable_http', 'sse'] as const)(
    'behind this server are refused over %s, whatever they are called',
    async (type) => {
      await using server = await startScriptedMcpServer({ tools: [objectTool('a')] })
      await using pool = poolWith(guard(''))
      for (const host of ['127.0.0.1', 'localhost', '[::1]', '2130706433', '[::ffff:127.0.0.1]']) {
        const url = new URL(`http://${host}:${server.port}/mcp`)
        const failure = await failureOf(pool.listTools(targetOf({ type, url, headers: {} })))
        expect(failure, host).toMatchObject({ kind: 'forbidden', isUnsent: true })
        expect(failure.message).toMatch(/not on the public internet.*PERDURE_MCP_ALLOWED_HOSTS/)
      }
      expect(server.connections()).toBe(0)
    },
  )

  it.each(['127.0.0.1', '127.0.0.0/8', 'localhost'])('are allowed by %s', async (allowed) => {
    await using server = await startScriptedMcpServer({ tools: [objectTool('a')] })
    await using pool = poolWith(guard(allowed))
    const host = allowed === 'localhost' ? 'localhost' : '127.0.0.1'
    expect(await pool.listTools(httpTarget(`http://${host}:${server.port}/mcp`))).toHaveLength(1)
  })

  it('that a name turns to meanwhile are refused', async () => {
    await using server = await startScriptedMcpServer({ tools: [objectTool('a')] })
    const answers = ['93.184.216.34', '10.0.0.1']
    const resolve = async () => answers.map((address) => ({ address, family: 4 }))
    await using pool = poolWith({ guard: { ...guard('').guard, resolve } })
    const failure = await failureOf(pool.listTools(httpTarget(`http://rebound.example.com:${server.port}/mcp`)))
    expect(failure.message).toMatch(/10\.0\.0\.1 is not on the public internet/)
  })

  it('that a redirect names are not gone to, and get no credentials', async () => {
    await using inner = await startScriptedMcpServer({ tools: [objectTool('a')] })
    let redirects = 0
    await using server = await startScriptedMcpServer({
      tools: [],
      intercept: (_request, response) => {
        redirects += 1
        response.writeHead(307, { location: inner.url }).end()
        return true
      },
    })
    await using pool = poolWith()
    const failure = await failureOf(pool.listTools(httpTarget(server.url, { Authorization: 'Bearer planted-token' })))
    expect(redirects).toBeGreaterThan(0)
    expect(failure.message).toMatch(/Redirect to http:\/\/127\.0\.0\.1:\d+\/mcp not followed/)
    expect(inner.connections()).toBe(0)
  })

  it('of the same origin are gone to, a few times', async () => {
    let redirects = 0
    await using server = await startScriptedMcpServer({
      tools: [objectTool('a')],
      intercept: (request, response) => {
        if (request.url === '/mcp') return false
        redirects += 1
        response.writeHead(308, { location: request.url === '/loop' ? '/loop' : '/mcp' }).end()
        return true
      },
    })
    await using pool = poolWith()
    expect(await pool.listTools(httpTarget(server.url.replace('/mcp', '/old')))).toHaveLength(1)
    const before = redirects
    await failureOf(pool.listTools(httpTarget(server.url.replace('/mcp', '/loop'))))
    expect(redirects - before).toBeGreaterThan(1)
    expect(redirects - before).toBeLessThan(30)
  })
})

describe('secrets', () => {
  it('are taken out of what a server says', async () => {
    await using server = await startScriptedMcpServer({
      tools: [],
      intercept: (request, response) => {
        response.writeHead(400, { 'content-type': 'text/plain' }).end(`bad token ${request.headers.authorization}`)
        return true
      },
    })
    const lines: string[] = []
    const destination = { write: (line: string) => void lines.push(line) }
    await using pool = poolWith({ logger: createLogger({ level: 'trace', format: 'json', destination }) })
    const secrets = ['Bearer planted-token', 'planted-token']
    const failure = await failureOf(
      pool.listTools(httpTarget(server.url, { Authorization: 'Bearer planted-token' }, { secrets })),
    )
    expect(failure.message).toMatch(/bad token \[redacted\]/)
    expect(lines.join('')).toContain('could not be connected to')
    expect(failure.message + failure.stack + lines.join('')).not.toContain('planted')
  })
})

describe('programs', () => {
  const program = (source: string, args: string[] = []): McpEndpoint => ({
    type: 'stdio',
    command: process.execPath,
    args: ['--input-type=module', '-e', source, ...args],
    env: {},
  })
  /** Answers the handshake; `onCall` is what it does with a call. */
  const speaking = (onCall: string) =>
    program(`
    import { createInterface } from 'node:readline'
    import { spawn } from 'node:child_process'
    const say = (id, result) => console.log(JSON.stringify({ jsonrpc: '2.0', id, result }))
    createInterface({ input: process.stdin }).on('line', (line) => {
      const { id, method, params } = JSON.parse(line)
      if (method === 'initialize') say(id, { protocolVersion: params.protocolVersion, capabilities: { tools: {} }, serverInfo: { name: 'x', version: '1' } })
      else if (method === 'ping') say(id, {})
      else if (method === 'tools/call') { ${onCall} }
    })`)

  it.each([
    ['memory', MEMORY, 'read_graph', {}],
    ['filesystem', FILESYSTEM, 'list_allowed_directories', {}],
  ])('of the %s server work', async (_name, script, tool, args) => {
    await using pool = poolWith()
    const args_ = script === FILESYSTEM ? [script, tmpdir()] : [script]
    const target = targetOf({ type: 'stdio', command: process.execPath, args: args_, env: {} })
    expect((await pool.listTools(target)).map(({ name }) => name)).toContain(tool)
    const answer = await pool.callTool(target, call(tool, args))
    expect(answer.isError ?? false).toBe(false)
  })

  it('that die during a call say why, and are started again for the next', async () => {
    await using pool = poolWith()
    const target = targetOf(
      speaking(`
      if (params.arguments.die) { console.error('no more paper'); process.exit(7) }
      say(id, { content: [{ type: 'text', text: String(process.pid) }] })`),
    )
    const first = textOf(await pool.callTool(target, call('pid')))
    expect(textOf(await pool.callTool(target, call('pid')))).toBe(first)
    const failure = await failureOf(pool.callTool(target, call('pid', { die: true })))
    expect(failure).toMatchObject({ kind: 'interrupted', isUnsent: false })
    expect(failure.message).toMatch(/ended while calling: it ended with code 7; its last words: no more paper/)
    expect(textOf(await pool.callTool(target, call('pid')))).not.toBe(first)
  })

  it('that died while nobody asked are started again', async () => {
    await using pool = poolWith()
    const target = targetOf(speaking(`say(id, { content: [{ type: 'text', text: String(process.pid) }] })`))
    const pid = Number(textOf(await pool.callTool(target, call('pid'))))
    process.kill(pid, 'SIGKILL')
    await until(() => !isAlive(pid))
    expect(Number(textOf(await pool.callTool(target, call('pid'))))).not.toBe(pid)
  })

  it('end with all that they started', async () => {
    const pool = poolWith()
    const target = targetOf(
      speaking(`
      const child = spawn('sleep', ['600'], { stdio: 'ignore' })
      process.on('SIGTERM', () => {})
      setInterval(() => {}, 1000)
      say(id, { content: [{ type: 'text', text: process.pid + ' ' + child.pid }] })`),
    )
    const pids = textOf(await pool.callTool(target, call('pid')))
      .split(' ')
      .map(Number)
    expect(pids.map(isAlive)).toEqual([true, true])
    await pool[Symbol.asyncDispose]()
    await until(() => !pids.some(isAlive))
  })

  it('that do not speak the protocol are explained', async () => {
    await using pool = poolWith({ limits: { connectTimeoutMs: 5_000 } })
    const dying = await failureOf(pool.listTools(targetOf(program(`console.error('usage: x'); process.exit(2)`))))
    expect(dying.message).toMatch(
      /ended while connecting: it ended with code 2; its last words: usage: x. See whether its command, args and env/,
    )
    const missing = await failureOf(
      pool.listTools(targetOf({ type: 'stdio', command: '/nowhere/x', args: [], env: {} })),
    )
    expect(missing.message).toMatch(/could not be started: spawn \/nowhere\/x ENOENT/)
    const loud = await failureOf(
      pool.listTools(targetOf(program(`process.stdout.write('x'.repeat(2_000_000)); setInterval(() => {}, 1000)`))),
    )
    expect(loud.message).toMatch(/more than 1000000 bytes/)
  })

  it('are not started where that is off, nor unconfined where they must be confined', async () => {
    const target = targetOf(program(`process.exit(0)`))
    await using off = poolWith({ programs: { stdio: 'off', readPaths: [] } })
    expect((await failureOf(off.listTools(target))).message).toMatch(
      /was not started: programs are not started here \(PERDURE_MCP_STDIO is off\)/,
    )
    await using confined = poolWith({ programs: { stdio: 'on', readPaths: [] } })
    expect((await failureOf(confined.listTools(target))).message).toMatch(
      /was not started: this machine has no sandbox for programs/,
    )
  })
})

describe('a confined program', () => {
  const NODE_MODULES = fileURLToPath(new URL('../../../node_modules', import.meta.url))
  const confined = (readPaths: string[]) =>
    poolWith({ programs: { stdio: 'on', confine: buildConfinedCommand, readPaths } })
  const source = `
    import { createInterface } from 'node:readline'
    import { readFileSync, writeFileSync } from 'node:fs'
    const attempt = (work) => { try { work(); return 'done' } catch (error) { return error.code } }
    createInterface({ input: process.stdin }).on('line', (line) => {
      const { id, method, params } = JSON.parse(line)
      const say = (result) => console.log(JSON.stringify({ jsonrpc: '2.0', id, result }))
      if (method === 'initialize') say({ protocolVersion: params.protocolVersion, capabilities: { tools: {} }, serverInfo: { name: 'x', version: '1' } })
      else if (method === 'tools/call') say({ content: [{ type: 'text', text: JSON.stringify({
        env: Object.keys(process.env).sort(),
        home: attempt(() => writeFileSync(process.env.HOME + '/file', 'x')),
        outside: attempt(() => writeFileSync(params.arguments.path + '.new', 'x')),
        read: attempt(() => readFileSync(params.arguments.path)),
        parent: attempt(() => readFileSync('/proc/' + process.ppid + '/environ')),
      }) }] })
    })`

  it('reads and writes nothing of this machine, also not what its own arguments name', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'perdure-secret-'))
    await using _ = { [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) }
    const path = join(folder, 'secret')
    await writeFile(path, 'planted')
    await using pool = confined([NODE_MODULES])
    const args = ['--input-type=module', '-e', source, path]
    const target = targetOf({ type: 'stdio', command: process.execPath, args, env: { ONLY: 'this' } })
    const seen = JSON.parse(textOf(await pool.callTool(target, call('look', { path }))))
    const refused = expect.stringMatching(/^(EACCES|EPERM)$/)
    expect(seen).toEqual({
      env: ['HOME', 'ONLY', 'PATH'],
      home: 'done',
      outside: refused,
      read: refused,
      parent: refused,
    })
  })

  it('of a reference server works where the operator lets it read its packages', async () => {
    await using pool = confined([NODE_MODULES])
    const target = targetOf({ type: 'stdio', command: process.execPath, args: [MEMORY], env: {} })
    expect((await pool.listTools(target)).map(({ name }) => name)).toContain('read_graph')
    await using other = confined([])
    const failure = await failureOf(other.listTools({ ...target, key: `${target.key} 2` }))
    expect(failure.message).toMatch(/ended while connecting/)
  })
})

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
