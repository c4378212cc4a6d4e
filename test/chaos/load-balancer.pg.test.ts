import { once } from 'node:events'
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http'
import { json } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { Letta } from '@letta-ai/letta-client'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type FakeProvider, startFakeProvider } from '../support/fake-provider.ts'
import { startHaproxy } from '../support/haproxy.ts'
import type { LoadBalancer } from '../support/load-balancer.ts'
import { startNginx } from '../support/nginx.ts'
import { type Replica, startReplicas } from '../support/replicas.ts'
import { freePort } from '../support/server-process.ts'
import { createPostgresDatabase, testEngine } from '../support/test-database.ts'

const MIB = 1024 * 1024
const BALANCERS = [
  ['nginx', startNginx],
  ['HAProxy', startHaproxy],
] as const

/** The real programs with the files of `deploy/`. Replicas need PostgreSQL: nothing to test on the embedded database. */
describe.skipIf(testEngine() === 'pglite').each(BALANCERS)('%s in front of three replicas', (_name, startBalancer) => {
  let database: Awaited<ReturnType<typeof createPostgresDatabase>>
  let provider: FakeProvider
  let replicas: Replica[]
  let balancer: LoadBalancer
  let client: Letta

  beforeAll(async () => {
    database = await createPostgresDatabase()
    provider = await startFakeProvider(({ lastUserText }) => {
      if (lastUserText === 'hang') return { text: 'Too late.', delayMs: 60_000 }
      // nothing for a while, then 15 pieces, one every 200 ms
      if (lastUserText === 'drip')
        return { text: 'drop '.repeat(15), charsPerEvent: 5, delayMs: 2500, eventDelayMs: 200 }
      return { text: `answer:${lastUserText}` }
    })
    replicas = await startReplicas(3, {
      OPENAI_API_KEY: 'sk-test',
      OPENAI_BASE_URL: `${provider.url}/v1`,
      PERDURE_DATABASE_URL: database.url,
      PERDURE_SHUTDOWN_GRACE: '2s',
    })
    balancer = await startBalancer(replicas)
    client = new Letta({ baseURL: balancer.url, apiKey: 'none', maxRetries: 0 })
  })
  afterAll(async () => {
    await balancer.stop()
    await Promise.all(replicas.map((replica) => replica.stop()))
    await provider.close()
    await database.remove()
  })

  const newAgent = () =>
    client.agents.create({ model: 'openai/gpt-4o-mini', memory_blocks: [{ label: 'human', value: '' }] })
  /** Only the head of a request: who refuses its length answers at once, and closes, which fails who still sends. */
  const announceBody = async (bytes: number) => {
    const sending = request(`${balancer.url}/v1/agents/`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'content-length': bytes },
    })
    sending.on('error', () => {})
    sending.flushHeaders()
    const [response] = (await once(sending, 'response')) as [IncomingMessage]
    const answer = [response.statusCode, await json(response)]
    sending.destroy()
    return answer
  }
  const say = (content: string) => ({ messages: [{ role: 'user' as const, content }] })

  it('any replica serves any request: what one has begun the others know', async () => {
    const agent = await newAgent()
    for (let turn = 0; turn < 6; turn += 1) {
      const answer = await client.agents.messages.create(agent.id, say(`t${turn}`))
      expect(JSON.stringify(answer.messages.at(-1))).toContain(`answer:t${turn}`)
    }
    const served = replicas.map(({ log }) => log().filter((line) => line.operation === 'send_message').length)
    expect(Math.min(...served), `turns of each replica: ${served}`).toBeGreaterThan(0)

    const run = await client.agents.messages.createAsync(agent.id, say('hang'))
    await expect.poll(() => provider.requests.some(({ lastUserText }) => lastUserText === 'hang')).toBe(true)
    for (const { url } of replicas) {
      const direct = new Letta({ baseURL: url, apiKey: 'none', maxRetries: 0 })
      expect((await direct.runs.retrieve(run.id)).status).toBe('running')
    }
    await client.agents.messages.cancel(agent.id, { run_ids: [run.id] })
    await expect.poll(async () => (await client.runs.retrieve(run.id)).status, { timeout: 5000 }).toBe('cancelled')
  })

  it('events of a stream come through one by one, not when a buffer is full', async () => {
    const agent = await newAgent()
    const asked = performance.now()
    const stream = await client.agents.messages.stream(agent.id, { ...say('drip'), stream_tokens: true })
    let firstPing: number | undefined
    const arrivals: number[] = []
    for await (const event of stream) {
      if (event.message_type === 'ping') firstPing ??= performance.now() - asked
      if (event.message_type === 'assistant_message') arrivals.push(performance.now())
    }
    // the smallest buffer would hold it until the text comes
    expect((arrivals[0] ?? 0) - asked).toBeGreaterThan(2400)
    expect(firstPing).toBeLessThan(1500)
    const gaps = arrivals.slice(1).map((at, index) => at - (arrivals[index] ?? 0))
    // emitted over 3 s, 200 ms apart; held back they would all come at once
    expect(arrivals.length).toBeGreaterThan(5)
    expect((arrivals.at(-1) ?? 0) - (arrivals[0] ?? 0)).toBeGreaterThan(2000)
    expect(Math.max(...gaps)).toBeLessThan(1500)
  })

  it('passes the request id on, and refuses a body over the limit in the shape of the API', async () => {
    const response = await fetch(`${balancer.url}/v1/agents/`, { headers: { 'x-request-id': 'one-id-everywhere' } })
    expect(response.headers.get('x-request-id')).toBe('one-id-everywhere')
    expect((await fetch(`${balancer.url}/v1/agents/`)).headers.get('x-request-id')).toMatch(/^[\w-]{16,}$/)

    const large = await announceBody(20 * MIB + 1)
    expect(large).toEqual([413, { detail: expect.stringContaining('larger than') }])
    // what fits gets as far as a server
    const fitting = await fetch(`${balancer.url}/v1/agents/`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ pad: 'x'.repeat(20 * MIB - 10) }),
    })
    expect([200, 400, 422]).toContain(fitting.status)
    expect(fitting.headers.get('x-request-id')).not.toBeNull()
    await fitting.body?.cancel()
  })
})

/** What must be true of the retries can be seen exactly only with servers that break off on purpose. */
describe.skipIf(testEngine() === 'pglite').each(BALANCERS)('%s, when a server breaks off', (_name, startBalancer) => {
  let servers: Server[]
  let balancer: LoadBalancer
  /** Requests as they came in, each with the number of its server. */
  let seen: { server: number; line: string; body: string }[]
  let behave: (request: IncomingMessage, response: ServerResponse, nth: number) => void

  beforeEach(async () => {
    seen = []
    behave = (_request, response) => response.end('{}')
    servers = await Promise.all(
      [0, 1, 2].map(async (server) => {
        const listener = createServer(async (request, response) => {
          if (request.url === '/ready' || request.url === '/health') return void response.end('{}')
          let body = ''
          for await (const chunk of request) body += String(chunk)
          seen.push({ server, line: `${request.method} ${request.url}`, body })
          behave(request, response, seen.length)
        })
        listener.listen(0, '127.0.0.1')
        await once(listener, 'listening')
        return listener
      }),
    )
    balancer = await startBalancer(servers.map((server) => ({ port: portOf(server) })))
  })
  afterEach(async () => {
    await balancer.stop()
    for (const server of servers) {
      server.close()
      server.closeAllConnections()
    }
  })

  /** The first server that gets the request dies with it. */
  const dieOnce = () => {
    behave = (request, response, nth) => (nth === 1 ? request.socket.destroy() : response.end('{"ok":true}'))
  }
  const send = (method: string, path: string, headers: Record<string, string> = {}) =>
    fetch(`${balancer.url}${path}`, {
      method,
      headers: { 'content-type': 'application/json', ...headers },
      ...(method === 'GET' ? {} : { body: '{"n":1}' }),
    })

  it.each([
    ['GET', '/v1/agents/', {}],
    ['POST', '/v1/agents/agent-1/messages', { 'idempotency-key': 'k 1' }],
    ['POST', '/v1/runs/run-1/stream', {}],
    ['POST', '/v1/passages/search', {}],
  ])('%s %s %o is sent again, to another server', async (method, path, headers) => {
    dieOnce()
    const response = await send(method, path, headers)
    expect([response.status, await response.json()]).toEqual([200, { ok: true }])
    expect(seen.map(({ line }) => line)).toEqual([`${method} ${path}`, `${method} ${path}`])
    expect(seen[1]?.server).not.toBe(seen[0]?.server)
    expect(seen[1]?.body).toBe(seen[0]?.body)
  })

  it.each([
    ['POST', '/v1/agents/agent-1/messages'],
    ['POST', '/v1/agents/a%20key/messages'],
    ['PATCH', '/v1/agents/agent-1'],
  ])('%s %s, which may have been done, is not sent again; the client is told in JSON', async (method, path) => {
    dieOnce()
    const response = await send(method, path)
    expect([502, 503]).toContain(response.status)
    expect(response.headers.get('retry-after')).toBe('1')
    expect(await response.json()).toEqual({ detail: expect.stringContaining('try again') })
    expect(seen).toHaveLength(1)
  })

  it('a POST that a server took no connection for goes to the next one', async () => {
    const [gone] = servers
    gone?.close()
    gone?.closeAllConnections()
    const statuses = await Promise.all(
      Array.from({ length: 12 }, async () => (await send('POST', '/v1/agents/agent-1/messages')).status),
    )
    expect(statuses).toEqual(Array(12).fill(200))
    expect(seen).toHaveLength(12)
    expect(new Set(seen.map(({ server }) => server))).toEqual(new Set([1, 2]))
  })

  it('an answer of 503 is the client’s to read, and takes no server out', async () => {
    behave = (_request, response) => response.writeHead(503, { 'retry-after': '7' }).end('{"detail":"full"}')
    for (let time = 0; time < 6; time += 1) {
      const response = await send('GET', '/v1/agents/')
      expect([response.status, response.headers.get('retry-after')]).toEqual([503, '7'])
      expect(await response.json()).toEqual({ detail: 'full' })
    }
    expect(seen).toHaveLength(6)
  })

  it('without any server the client is told in JSON, and a server that comes back is found', async () => {
    const [first] = servers
    const port = first === undefined ? await freePort() : portOf(first)
    for (const server of servers) {
      server.close()
      server.closeAllConnections()
    }
    const refused = await send('GET', '/v1/agents/')
    expect([502, 503]).toContain(refused.status)
    expect(refused.headers.get('retry-after')).toBe('1')
    expect(await refused.json()).toEqual({ detail: expect.stringContaining('try again') })
    servers.push(await listenAgain(port))
    await expect.poll(async () => (await send('GET', '/v1/agents/')).status, { timeout: 8000 }).toBe(200)
  })

  const portOf = (server: Server): number => (server.address() as { port: number }).port

  /** A connection of another test may have taken the port for its own end meanwhile: it is waited for. */
  const listenAgain = async (port: number): Promise<Server> => {
    for (;;) {
      const back = createServer((_request, response) => response.end('{}')).listen(port, '127.0.0.1')
      const error = await once(back, 'listening').then(
        () => undefined,
        (cause: NodeJS.ErrnoException) => cause,
      )
      if (error === undefined) return back
      if (error.code !== 'EADDRINUSE') throw error
      await sleep(100)
    }
  }
})
