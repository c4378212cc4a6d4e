import { createConnection } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ModelError, type ModelErrorKind } from '#llm/model.ts'
import { DomainError } from '#platform/errors.ts'
import { testModelRegistry } from '../support/test-models.ts'
import { startTestServer, type TestServer } from '../support/test-server.ts'

type ErrorBody = { detail: string; errors?: { loc: unknown[]; type: string }[] }
const JSON_TYPE = { 'content-type': 'application/json' }
const UNKNOWN_AGENT = '/v1/agents/agent-01234567-89ab-4def-8123-456789abcdef'

let server: TestServer

beforeAll(async () => {
  server = await startTestServer({ config: { corsOrigins: ['https://app.example'], maxBodyBytes: 2_000_000 } })
})
afterAll(() => server.close())

/** Creates a block with a body that is sent as it stands. */
async function send(payload: string | Buffer, headers: Record<string, string> = JSON_TYPE) {
  const response = await server.app.inject({ method: 'POST', url: '/v1/blocks/', payload, headers })
  return { status: response.statusCode, body: response.json<ErrorBody>() }
}

describe('bodies', () => {
  it.each([
    [400, '{"label": "a", "value": ', /not valid JSON/],
    [400, Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d]), /not valid UTF-8/],
    [422, '{"label":"a","value":"x\\u0000y"}', /body\.value: .*NUL/],
    [422, '{"label":"a","value":"x","metadata":{"k":["\\ud800"]}}', /body\.metadata\.k\.0: .*surrogate/],
    [422, '{"label":"a","value":"x","metadata":{"\\uDC00":1}}', /surrogate/],
    [422, '{"label":"a","value":"x","metadata":{"__proto__":{"x":1}}}', /__proto__/],
    [422, `{"label":"a","value":"x","metadata":${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}}`, /deeper than 200/],
    [422, `${'['.repeat(10_000)}${']'.repeat(10_000)}`, /deeper than 200/],
    [422, '[]', /body: Input should be a valid object/],
    [422, '"text"', /body: Input should be a valid object/],
    [422, '', /body\.label: Field required/],
    [422, '{"label":1,"value":"x"}', /body\.label: Input should be a valid string/],
    [422, '{"label":"a","value":"x","read_only":"true"}', /body\.read_only: Input should be a valid boolean/],
    [413, `{"label":"a","value":"${'x'.repeat(2_000_000)}"}`, /larger than/],
  ])('answers %i', async (status, payload, detail) => {
    const answer = await send(payload)
    expect(answer.body.detail).toMatch(detail)
    expect(answer.status).toBe(status)
  })

  it('takes pairs of surrogates, JSON types with a suffix, and a body of 1 MB', async () => {
    expect((await send('{"label":"a","value":"\\ud83d\\ude00"}')).body).toMatchObject({ value: '😀' })
    expect((await send('{"label":"a","value":"x"}', { 'content-type': 'application/merge-patch+json' })).status).toBe(
      200,
    )
    expect((await send(JSON.stringify({ label: 'a', value: 'x'.repeat(1_000_000), limit: 1_000_000 }))).status).toBe(
      200,
    )
  })

  it('answers 415 to other types', async () => {
    const answer = await send('label=a', { 'content-type': 'application/x-www-form-urlencoded' })
    expect(answer.status).toBe(415)
    expect(answer.body.detail).toMatch(/application\/json/)
  })

  it('tells a validation error in one text and in parts', async () => {
    const { body } = await send('{"label":"a","value":7}')
    expect(body).toMatchObject({
      trace_id: '',
      detail: 'body.value: Input should be a valid string',
      errors: [{ loc: ['body', 'value'], type: 'string_type' }],
    })
  })
})

describe('addresses', () => {
  it.each([
    [404, '/v1/nothing'],
    [404, '/nothing?%00='.replace('%00', 'x')],
    [422, '/v1/blocks/?name=%00'],
    [422, '/v1/agents/%00'],
    [400, '/v1/agents/%zz'],
    [422, '/v1/agents/agent-%F0%9F%98%80'],
    [404, UNKNOWN_AGENT],
    [404, `${UNKNOWN_AGENT}/`],
    [404, UNKNOWN_AGENT.replace('/v1/', '/latest/')],
  ])('answers %i to %s', async (status, url) => {
    const { status: actual, body } = await server.request<ErrorBody>('GET', url)
    expect(body.detail).toBeTypeOf('string')
    expect(actual).toBe(status)
  })

  it('answers 405 where the path takes other methods', async () => {
    const answer = await server.request<ErrorBody>('PUT', '/v1/agents/')
    expect(answer.status).toBe(405)
    expect(answer.headers.allow).toBe('GET, HEAD, POST')
    expect((await server.request('POST', UNKNOWN_AGENT)).status).toBe(405)
  })

  it('survives what is not HTTP', async () => {
    const url = new URL(await server.baseUrl())
    const socket = createConnection(Number(url.port), url.hostname)
    const { promise, resolve } = Promise.withResolvers<string>()
    socket.once('data', (data) => resolve(data.toString()))
    socket.end('NONSENSE\r\n\r\n')
    expect(await promise).toMatch(/^HTTP\/1\.1 400/)
  })
})

describe('errors', () => {
  const thrown: { error: unknown } = { error: undefined }
  let faulty: TestServer
  beforeAll(async () => {
    const models = testModelRegistry()
    faulty = await startTestServer({
      db: server.context.db,
      models: {
        ...models,
        listModels: async () => {
          throw thrown.error
        },
      },
    })
  })
  afterAll(() => faulty.close())
  const fail = (error: unknown) => {
    thrown.error = error
    return faulty.request<Record<string, unknown>>('GET', '/v1/agents/')
  }

  it('sends the extras of a domain error', async () => {
    const answer = await fail(
      new DomainError('conflict', 'CONFLICT: busy', {
        extra: { run_id: 'run-1' },
        canRetry: false,
        retryAfterSeconds: 1.2,
      }),
    )
    expect(answer.status).toBe(409)
    expect(answer.body).toEqual({ detail: 'CONFLICT: busy', run_id: 'run-1' })
    expect(answer.headers).toMatchObject({ 'x-should-retry': 'false', 'retry-after': '2' })
  })

  it.each<[ModelErrorKind, number, string]>([
    ['rate_limit', 429, 'llm_rate_limit'],
    ['authentication', 401, 'llm_authentication'],
    ['insufficient_credits', 402, 'llm_insufficient_credits'],
    ['timeout', 504, 'llm_timeout'],
    ['bad_request', 400, 'llm_bad_request'],
    ['context_window_exceeded', 400, 'llm_bad_request'],
    ['overloaded', 503, 'llm_error'],
    ['server_error', 500, 'llm_error'],
  ])('answers a provider failure %s with %i', async (kind, status, type) => {
    const answer = await fail(new ModelError(kind, 'openai said no', { retryAfterMs: 1500 }))
    expect(answer.status).toBe(status)
    expect(answer.body).toEqual({ error: { type, message: 'openai said no', detail: 'openai said no' } })
    expect(answer.headers['retry-after']).toBe('2')
  })

  it.each([
    ['23505', 409],
    ['23503', 409],
    ['40P01', 409],
    ['57P01', 503],
    ['53300', 503],
    ['22003', 422],
    ['42601', 500],
  ])('answers SQLSTATE %s with %i', async (code, status) => {
    const answer = await fail(Object.assign(new Error('secret table'), { code }))
    expect(answer.status).toBe(status)
    expect(JSON.stringify(answer.body)).not.toContain('secret')
  })

  it('tells nothing of what nobody expected', async () => {
    for (const error of [new TypeError('secret'), 'secret', undefined, null]) {
      expect(await fail(error)).toMatchObject({ status: 500, body: { detail: 'An unknown error occurred' } })
    }
  })
})

describe('request ids', () => {
  it('are taken from the caller when plain, and made otherwise', async () => {
    const id = async (given?: string) => {
      const { headers } = await server.request(
        'GET',
        '/health',
        undefined,
        given === undefined ? {} : { 'x-request-id': given },
      )
      return headers['x-request-id']
    }
    expect(await id('my-request.1')).toBe('my-request.1')
    expect(await id('no spaces')).toMatch(/^[0-9a-f-]{36}$/)
    expect(await id()).toMatch(/^[0-9a-f-]{36}$/)
  })
})

describe('probes', () => {
  it.each(['/health', '/v1/health/', '/ready', '/v1/ready/'])('%s answers without a credential', async (url) => {
    const { status, body } = await server.request('GET', url, undefined, { host: 'probe.example' })
    expect(status).toBe(200)
    expect(body).toMatchObject({ status: 'ok', version: expect.stringMatching(/^\d/) })
  })

  it('readiness fails when the database does', async () => {
    const down = await startTestServer()
    await down.context.db[Symbol.asyncDispose]()
    const { status, body } = await down.request('GET', '/ready')
    expect(status).toBe(503)
    expect(body.detail).toMatch(/database/)
    expect((await down.request('GET', '/health')).status).toBe(200)
    await down.close()
  })
})

describe('without a key', () => {
  const status = async (headers: Record<string, string>) =>
    (await server.request('GET', '/v1/agents/count', undefined, headers)).status

  it.each([
    [200, {}],
    [200, { host: 'localhost:8283' }],
    [200, { host: '[::1]:8283' }],
    [200, { origin: 'http://localhost:3000' }],
    [200, { origin: 'https://app.example', 'sec-fetch-site': 'cross-site' }],
    [200, { 'sec-fetch-site': 'same-origin' }],
    [200, { user_id: 'user-01234567-89ab-4def-8123-456789abcdef' }],
    [403, { host: 'evil.example' }],
    [403, { host: 'localhost.evil.example' }],
    [403, { host: '127.0.0.1.evil.example' }],
    [403, { origin: 'https://evil.example' }],
    [403, { origin: 'https://localhost.evil.example' }],
    [403, { origin: 'null' }],
    [403, { 'sec-fetch-site': 'cross-site' }],
  ])('answers %i to %j', async (expected, headers) => {
    expect(await status(headers as Record<string, string>)).toBe(expected)
  })

  it('serves only this machine', async () => {
    const response = await server.app.inject({ url: '/v1/agents/count', remoteAddress: '192.0.2.1' })
    expect(response.statusCode).toBe(403)
    expect(response.json<ErrorBody>().detail).toContain('PERDURE_API_KEY')
  })

  it('lets configured origins call, and only those', async () => {
    const preflight = await server.app.inject({
      method: 'OPTIONS',
      url: '/v1/agents/',
      headers: { origin: 'https://app.example', 'access-control-request-method': 'POST', host: 'localhost' },
    })
    expect(preflight.statusCode).toBe(204)
    expect(preflight.headers['access-control-allow-origin']).toBe('https://app.example')
    const other = await server.app.inject({
      method: 'OPTIONS',
      url: '/v1/agents/',
      headers: { origin: 'https://evil.example', 'access-control-request-method': 'POST', host: 'localhost' },
    })
    expect(other.headers['access-control-allow-origin']).toBeUndefined()
    expect(other.statusCode).toBe(403)
  })
})

describe('with a key', () => {
  let locked: TestServer
  beforeAll(async () => {
    locked = await startTestServer({ db: server.context.db, config: { apiKey: 'correct horse'.replace(' ', '-') } })
  })
  afterAll(() => locked.close())

  it.each([
    [200, { authorization: 'Bearer correct-horse' }],
    [200, { authorization: 'bearer correct-horse', host: 'perdure.example', origin: 'https://any.example' }],
    [200, { 'x-bare-password': 'password correct-horse' }],
    [401, {}],
    [401, { authorization: 'Bearer correct-hors' }],
    [401, { authorization: 'Bearer ' }],
    [401, { authorization: 'Basic correct-horse' }],
    [401, { authorization: 'correct-horse' }],
    [401, { 'x-bare-password': 'correct-horse' }],
  ])('answers %i to %j', async (expected, headers) => {
    const answer = await locked.request('GET', '/v1/agents/count', undefined, headers as Record<string, string>)
    expect(answer.status).toBe(expected)
    if (expected === 401) expect(answer.body).toEqual({ detail: 'Unauthorized' })
  })

  it('asks for it before anything else', async () => {
    expect((await locked.request('GET', '/v1/nothing')).status).toBe(401)
    expect((await locked.request('POST', '/v1/agents/', 'not even JSON')).status).toBe(401)
    expect((await locked.request('GET', '/health')).status).toBe(200)
  })

  it('is sent by the official client', async () => {
    const client = await locked.sdk()
    expect((await client.agents.list()).items).toEqual([])
  })
})

describe('the OpenAPI document', () => {
  it('has every operation once, with its tag and permission', async () => {
    const { body } = await server.request<{
      openapi: string
      paths: Record<string, Record<string, { operationId?: string; tags?: string[] }>>
    }>('GET', '/openapi.json')
    expect(body.openapi).toMatch(/^3\.1/)
    const operations = Object.values(body.paths).flatMap((path) => Object.values(path))
    const ids = operations.map((operation) => operation.operationId)
    expect(ids).not.toContain(undefined)
    expect(new Set(ids).size).toBe(ids.length)
    expect(operations.every((operation) => operation.tags?.length === 1)).toBe(true)
  })
})
