import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createModelRegistry } from '#llm/registry.ts'
import { createLogger } from '#platform/logger.ts'
import { listOperations, pathOf } from '../support/operations.ts'
import { startTestServer, type TestServer } from '../support/test-server.ts'

const KEY = 'correct-horse-battery-staple'

let server: TestServer
let locked: TestServer
beforeAll(async () => {
  server = await startTestServer({ config: { corsOrigins: ['https://app.example'] } })
  locked = await startTestServer({ db: server.context.db, config: { apiKey: KEY } })
})
afterAll(async () => {
  await locked.close()
  await server.close()
})

/** Sends bytes as they stand; the status of the answer, or 0 when the connection is closed without one. */
async function sendRaw(to: TestServer, text: string): Promise<{ status: number; text: string }> {
  const { port } = new URL(await to.baseUrl())
  const socket = connect(Number(port), '127.0.0.1')
  socket.on('error', () => {})
  socket.write(text)
  let answer = ''
  for await (const chunk of socket as AsyncIterable<Buffer>) answer += chunk.toString()
  return { status: Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1] ?? 0), text: answer }
}

const get = (target: string, headers: readonly string[], version = '1.1') =>
  `GET ${target} HTTP/${version}\r\n${headers.map((line) => `${line}\r\n`).join('')}connection: close\r\n\r\n`
const COUNT = '/v1/agents/count'

describe('without a key, over a socket', () => {
  it.each([
    [200, 'Host: localhost'],
    [200, 'Host: LOCALHOST:8283'],
    [200, 'Host: 127.0.0.1:1'],
    [200, 'Host: [::1]'],
    [403, 'Host: '],
    [403, 'Host: localhost.'],
    [403, 'Host: localhost.evil.example'],
    [403, 'Host: evil.example:8283'],
    [403, 'Host: localhost:8283@evil.example'],
    [403, 'Host: user@localhost'],
    [403, 'Host: localhost:8283:8283'],
    [403, 'Host: localhost:'],
    [403, 'Host: localhost/evil.example'],
    [403, 'Host: localhost,evil.example'],
    [403, 'Host: localhost evil.example'],
    [403, 'Host: 0x7f000001'],
    [403, 'Host: 2130706433'],
    [403, 'Host: 0.0.0.0'],
    [403, 'Host: [::]'],
    [403, 'Host: [::ffff:127.0.0.1]'],
    [403, 'Host: 127.0.0.1.nip.io'],
    [403, 'Host: ::1'],
  ])('answers %i to %s', async (status, host) => {
    expect((await sendRaw(server, get(COUNT, [host]))).status).toBe(status)
  })

  it.each([
    [400, 'no Host in HTTP/1.1', get(COUNT, [])],
    [403, 'no Host in HTTP/1.0', get(COUNT, [], '1.0')],
    [403, 'another Host first', get(COUNT, ['Host: evil.example', 'Host: localhost'])],
    [403, 'another host in the address', get(`http://evil.example${COUNT}`, ['Host: localhost'])],
    [403, 'another host in the header', get(`http://localhost${COUNT}`, ['Host: evil.example'])],
    [403, 'a user in the address', get(`http://localhost@evil.example${COUNT}`, ['Host: localhost'])],
    [200, 'the address of this machine', get(`http://localhost:8283${COUNT}`, ['Host: localhost'])],
    [403, 'Origin null', get(COUNT, ['Host: localhost', 'Origin: null'])],
    [403, 'an empty Origin', get(COUNT, ['Host: localhost', 'Origin: '])],
    [
      403,
      'a bad origin first',
      get(COUNT, ['Host: localhost', 'Origin: https://evil.example', 'Origin: http://localhost']),
    ],
    [
      403,
      'a good origin first',
      get(COUNT, ['Host: localhost', 'Origin: http://localhost', 'Origin: https://evil.example']),
    ],
    [403, 'an origin that begins well', get(COUNT, ['Host: localhost', 'Origin: https://app.example.evil.example'])],
    [403, 'an origin of another port', get(COUNT, ['Host: localhost', 'Origin: https://app.example:444'])],
    [403, 'an origin of another scheme', get(COUNT, ['Host: localhost', 'Origin: file://localhost'])],
    [403, 'an extension', get(COUNT, ['Host: localhost', 'Origin: chrome-extension://localhost'])],
    [403, 'a client elsewhere', get(COUNT, ['Host: localhost', 'X-Forwarded-For: 192.0.2.7'])],
    [403, 'a client elsewhere behind us', get(COUNT, ['Host: localhost', 'X-Forwarded-For: 127.0.0.1, 192.0.2.7'])],
    [
      403,
      'a client elsewhere, twice',
      get(COUNT, ['Host: localhost', 'X-Forwarded-For: ::1', 'X-Forwarded-For: 192.0.2.7']),
    ],
    [403, 'a real client elsewhere', get(COUNT, ['Host: localhost', 'X-Real-IP: 192.0.2.7'])],
    [403, 'a forwarded host', get(COUNT, ['Host: localhost', 'X-Forwarded-Host: agents.example'])],
    [403, 'RFC 7239', get(COUNT, ['Host: localhost', 'Forwarded: for=192.0.2.7;host=localhost'])],
    [
      200,
      'a local client of a local proxy',
      get(COUNT, ['Host: localhost', 'X-Forwarded-For: 127.0.0.1', 'X-Forwarded-Host: localhost:3000']),
    ],
    [
      403,
      'headers that say it is local',
      get(COUNT, ['Host: evil.example', 'X-Forwarded-Host: localhost', 'X-Forwarded-For: 127.0.0.1']),
    ],
    [
      403,
      'a WebSocket of a web page',
      get(COUNT, [
        'Host: localhost',
        'Origin: https://evil.example',
        'Upgrade: websocket',
        'Sec-WebSocket-Version: 13',
        'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
      ]),
    ],
    [403, 'an unknown path', get('/v1/nothing', ['Host: evil.example'])],
    [403, 'two slashes', get(`/${COUNT}`, ['Host: evil.example'])],
    [403, 'the old mount', get('/latest/agents/count', ['Host: evil.example'])],
    [403, 'a public path and up', get('/health/../v1/agents/count', ['Host: evil.example'])],
    [403, 'an escaped slash', get('/v1%2fagents%2fcount', ['Host: evil.example'])],
    [403, 'another case', get('/V1/agents/count', ['Host: evil.example'])],
  ])('answers %i to %s', async (status, _what, request) => {
    expect((await sendRaw(server, request)).status).toBe(status)
  })

  it.each([
    ['192.0.2.1', 403],
    ['::ffff:192.0.2.1', 403],
    ['::ffff:127.0.0.1', 200],
    ['127.9.9.9', 200],
    ['::1', 200],
    ['::127.0.0.1', 403],
    ['fe80::1', 403],
  ])('a peer at %s gets %i', async (remoteAddress, status) => {
    const response = await server.app.inject({ url: COUNT, headers: { host: 'localhost' }, remoteAddress })
    expect(response.statusCode).toBe(status)
  })
})

describe('with a key', () => {
  const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const

  /** The probes, and where browsers return to from an authorization: the state that they bring is all that counts there. */
  const OPEN = /^(200 (GET|HEAD) .*\/(health|ready)|400 (GET|HEAD) .*\/tools\/mcp\/oauth\/callback)\/?(\?.*)?$/

  it('every operation but the probes wants it, whatever the method and the spelling', async () => {
    const operations = listOperations(locked.app)
    expect(operations.length).toBeGreaterThan(40)
    const open: string[] = []
    for (const operation of operations) {
      const path = pathOf(operation, () => 'x')
      const spellings = [path, `${path}/`, path.replace('/v1/', '/latest/'), `/${path}`, `${path}?authorization=${KEY}`]
      for (const method of METHODS) {
        for (const url of spellings) {
          const { statusCode } = await locked.app.inject({ method, url, headers: { host: 'localhost' } })
          if (statusCode !== 401) open.push(`${statusCode} ${method} ${url}`)
        }
      }
    }
    expect(open.filter((line) => !OPEN.test(line))).toEqual([])
  })

  it.each([
    ['part of it', `Bearer ${KEY.slice(0, -1)}`],
    ['more than it', `Bearer ${KEY}x`],
    ['another case', `Bearer ${KEY.toUpperCase()}`],
    ['it twice', `Bearer ${KEY}, Bearer ${KEY}`],
    ['a new line in it', `Bearer ${KEY}\u00a0`],
    ['it in Basic', `Basic ${Buffer.from(`:${KEY}`).toString('base64')}`],
    ['no scheme', KEY],
    ['a megabyte', `Bearer ${'x'.repeat(10_000)}`],
  ])('%s is not it', async (_what, authorization) => {
    const { statusCode } = await locked.app.inject({ url: COUNT, headers: { authorization } })
    expect(statusCode).toBe(401)
  })

  it('takes the first of two headers, as proxies in front do', async () => {
    const bad = get(COUNT, ['Host: x', 'Authorization: Bearer wrong-key', `Authorization: Bearer ${KEY}`])
    expect((await sendRaw(locked, bad)).status).toBe(401)
  })
})

describe('secrets', () => {
  const PROVIDER_KEY = 'sk-provider-0123456789abcdef'
  const PLAIN_KEY = 'plainkey0123456789'

  it('stand in no log line and no answer, whatever fails', async () => {
    // a provider that says back what it was sent
    const provider = createServer((request, response) => {
      const said = `Incorrect API key provided: ${request.headers.authorization}. Headers: ${JSON.stringify(request.headers)}`
      const status = request.url?.includes('models') ? 500 : 401
      response.writeHead(status, {
        'content-type': 'application/json',
        'x-echo': String(request.headers.authorization),
      })
      response.end(JSON.stringify({ error: { message: said, type: 'invalid_request_error', code: 'invalid_api_key' } }))
    })
    await new Promise<void>((resolve) => provider.listen(0, '127.0.0.1', resolve))
    const { port } = provider.address() as AddressInfo
    const baseUrl = `http://user:url-password-123@127.0.0.1:${port}/v1`
    const lines: string[] = []
    const logger = createLogger({
      level: 'trace',
      format: 'json',
      secrets: [KEY, PROVIDER_KEY, PLAIN_KEY],
      destination: { write: (line) => void lines.push(line) },
    })
    const models = createModelRegistry({
      providers: [],
      openaiCompatible: [
        { name: 'lab', apiKey: PROVIDER_KEY, baseUrl },
        { name: 'plain', apiKey: PLAIN_KEY, baseUrl },
      ],
      firstByteTimeoutMs: 5_000,
      idleTimeoutMs: 5_000,
      firstDelayMs: 1,
      logger,
    })
    const answers: string[] = []
    const leaky = await startTestServer({ db: server.context.db, models, logger, config: { apiKey: KEY } })
    const send = async (method: 'GET' | 'POST', url: string, body?: object, headers: Record<string, string> = {}) => {
      const response = await leaky.app.inject({
        method,
        url,
        headers: { authorization: `Bearer ${KEY}`, ...headers },
        ...(body === undefined ? {} : { payload: body }),
      })
      answers.push(response.body, JSON.stringify(response.headers))
      return response
    }
    for (const model of ['lab/x', 'plain/x']) {
      const agent = (await send('POST', '/v1/agents/', { model })).json<{ id: string }>()
      expect(agent.id).toMatch(/^agent-/)
      expect((await send('POST', `/v1/agents/${agent.id}/messages`, { input: 'hi' })).statusCode).toBe(401)
      await send('POST', `/v1/agents/${agent.id}/messages/stream`, { input: 'hi' })
      await send('POST', `/v1/agents/${agent.id}/messages/async`, { input: 'hi' })
    }
    for (const url of ['/v1/models/', '/v1/runs/', '/v1/steps/', '/v1/agents/', '/', '/openapi.json', '/nothing'])
      await send('GET', url)
    await send('GET', `/v1/blocks/?label=${KEY}`, undefined, {
      authorization: `Bearer ${KEY}x`,
      'x-bare-password': `password ${KEY}`,
    })
    await send('GET', '/v1/blocks/%zz', undefined, { 'x-request-id': KEY, cookie: `session=${KEY}` })
    await leaky.close()
    provider.close()

    expect(lines.length).toBeGreaterThan(10)
    expect(answers.join('\n')).toContain('llm_authentication')
    for (const secret of [KEY, PROVIDER_KEY, PLAIN_KEY, 'url-password-123']) {
      const isMine = (text: string) => text.includes(secret)
      expect(lines.filter(isMine)).toEqual([])
      // what the caller sent as its request id comes back to it
      expect(answers.filter(isMine).filter((text) => !text.includes(`"x-request-id":"${KEY}"`))).toEqual([])
    }
  })
})
