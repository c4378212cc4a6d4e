import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { statement } from '#store/db.ts'
import { type FakeProvider, startFakeProvider } from '../support/fake-provider.ts'
import { startTestServer, type TestServer } from '../support/test-server.ts'

const KEY = 'sk-a-key-of-the-tenant'
const UNKNOWN = 'provider-01234567-89ab-4def-8123-456789abcdef'

interface Provider {
  id: string
  name: string
  last_synced: string | null
  [field: string]: unknown
}

let fake: FakeProvider
let server: TestServer
beforeAll(async () => {
  fake = await startFakeProvider(() => ({ text: 'Ahoy.' }), { apiKey: KEY })
  server = await startTestServer({
    models: 'configured',
    config: {
      providerAddresses: 'any',
      openaiCompatible: [{ name: 'lab', baseUrl: `${fake.url}/v1`, apiKey: KEY }],
    },
  })
})
afterAll(async () => {
  await server.close()
  await fake.close()
})

let count = 0
const newName = () => `mine-${++count}`

const inputOf = (over: Record<string, unknown> = {}) => ({
  name: newName(),
  provider_type: 'openai',
  api_key: KEY,
  base_url: `${fake.url}/v1`,
  ...over,
})

async function create(over: Record<string, unknown> = {}, headers: Record<string, string> = {}): Promise<Provider> {
  const { status, body } = await server.request<Provider>('POST', '/v1/providers/', inputOf(over), headers)
  expect(status, JSON.stringify(body)).toBe(200)
  return body
}

const handlesOf = async (query = '', headers: Record<string, string> = {}) =>
  (await server.request<{ handle: string }[]>('GET', `/v1/models/${query}`, undefined, headers)).body.map(
    (model) => model.handle,
  )

describe('a provider that a client brings', () => {
  it('is stored with its key sealed, listed with its models, and its key is in no answer', async () => {
    const provider = await create({ access_key: 'another secret', region: 'north' })
    expect(provider).toMatchObject({ provider_category: 'byok', api_key: null, api_key_enc: null, region: 'north' })
    expect(provider.last_synced).not.toBeNull()
    const { body } = await server.request('GET', `/v1/providers/${provider.id}`)
    expect(body).toEqual(provider)
    expect(await handlesOf('?provider_category=byok')).toContain(`${provider.name}/gpt-4o-mini`)
    expect(await handlesOf('?provider_category=base')).not.toContain(`${provider.name}/gpt-4o-mini`)
    expect(await handlesOf(`?provider_name=${provider.name}`)).toEqual([
      `${provider.name}/gpt-4o-mini`,
      `${provider.name}/gpt-5-mini`,
    ])
    expect(await handlesOf('?provider_type=anthropic')).toEqual([])
    const rows = await server.context.db.query(
      statement('test-read-providers', 'select p::text as row from providers p'),
    )
    expect(JSON.stringify(rows)).not.toMatch(/sk-a-key|another secret/)
  })

  it('answers for an agent of its organisation, with the key of the tenant, and is noted in the step', async () => {
    const { name } = await create()
    const model = `${name}/gpt-4o-mini`
    const agent = await server.request<{ id: string; llm_config: object }>('POST', '/v1/agents/', { model })
    expect(agent.status, JSON.stringify(agent.body)).toBe(200)
    expect(agent.body.llm_config).toMatchObject({ provider_category: 'byok', provider_name: name })
    const said = await server.request<{ messages: object[] }>('POST', `/v1/agents/${agent.body.id}/messages`, {
      input: 'Hello',
    })
    expect(said.body.messages.at(-1)).toMatchObject({ content: 'Ahoy.' })
    expect(fake.requests.at(-1)?.headers.authorization).toBe(`Bearer ${KEY}`)
    const steps = await server.request<object[]>('GET', `/v1/steps/?agent_id=${agent.body.id}`)
    expect(steps.body[0]).toMatchObject({ provider_category: 'byok', provider_name: name, model_handle: model })
  })

  it('is asked before the transaction that changes an agent, for a limit that its model can keep', async () => {
    const { name } = await create()
    const agent = await server.request<{ id: string }>('POST', '/v1/agents/', { model: `${name}/gpt-4o-mini` })
    const path = `/v1/agents/${agent.body.id}`
    // what is kept of the organisation's providers is forgotten with each change of them
    await create()
    const limited = await server.request('PATCH', path, { context_window_limit: 8_000 })
    expect([limited.status, limited.body.context_window_limit ?? limited.body.llm_config]).toEqual([
      200,
      expect.objectContaining({ context_window: 8_000 }),
    ])
    const tooMuch = await server.request('PATCH', path, { context_window_limit: 9_000_000 })
    expect(tooMuch.status).toBe(400)
    const unknown = await server.request('PATCH', `/v1/agents/${UNKNOWN.replace('provider', 'agent')}`, {
      context_window_limit: 8_000,
    })
    expect(unknown.status).toBe(404)
  })

  it('is nothing to other organisations: not by its handle, its id, its name or in a list', async () => {
    const provider = await create()
    const other = await server.addOrganization()
    const ask = (method: 'GET' | 'PATCH' | 'DELETE' | 'POST', path: string, body?: object) =>
      server.request(method, path, body, other.headers)
    for (const [method, path, body] of [
      ['GET', ''],
      ['PATCH', '', { region: 'x' }],
      ['DELETE', ''],
      ['POST', '/check', {}],
      ['PATCH', '/refresh', {}],
    ] as const) {
      const foreign = await ask(method, `/v1/providers/${provider.id}${path}`, body)
      const unknown = await ask(method, `/v1/providers/${UNKNOWN}${path}`, body)
      expect(foreign.status, `${method} ${path}`).toBe(404)
      expect(JSON.stringify(foreign.body)).toBe(JSON.stringify(unknown.body).replaceAll(UNKNOWN, provider.id))
    }
    expect((await ask('GET', '/v1/providers/')).body).toEqual([])
    expect(await handlesOf('?provider_category=byok', other.headers)).toEqual([])
    const agent = await ask('POST', '/v1/agents/', { model: `${provider.name}/gpt-4o-mini` })
    expect(agent.status).toBe(404)
    // the name is free there
    await create({ name: provider.name }, other.headers)
    expect((await server.request('GET', `/v1/providers/${provider.id}`)).status).toBe(200)
  })

  it('cannot have the name of a provider of the server or of another one', async () => {
    for (const name of ['lab', 'perdure']) {
      const { status, body } = await server.request('POST', '/v1/providers/', inputOf({ name }))
      expect([status, String(body.detail)]).toEqual([400, expect.stringContaining('the server itself')])
    }
    const { name } = await create()
    const again = await server.request('POST', '/v1/providers/', inputOf({ name }))
    expect([again.status, again.headers['x-should-retry']]).toEqual([409, 'false'])
  })

  it('is made again under its old id after it was deleted, with the new key', async () => {
    const provider = await create()
    const deleted = await server.request('DELETE', `/v1/providers/${provider.id}`)
    expect(deleted.status).toBe(200)
    expect((await server.request('GET', `/v1/providers/${provider.id}`)).status).toBe(404)
    expect((await server.request('DELETE', `/v1/providers/${provider.id}`)).status).toBe(404)
    expect(await handlesOf(`?provider_name=${provider.name}`)).toEqual([])
    const again = await create({ name: provider.name, api_key: 'another key' })
    expect(again.id).toBe(provider.id)
    expect(again.last_synced).toBeNull()
  })

  it('gets a new key that counts at once; null clears what can be empty', async () => {
    const provider = await create({ api_key: 'a wrong key', region: 'north' })
    expect(provider.last_synced).toBeNull()
    expect(await handlesOf(`?provider_name=${provider.name}`)).toEqual([])
    const path = `/v1/providers/${provider.id}`
    expect((await server.request('POST', `${path}/check`)).status).toBe(401)
    const changed = await server.request<Provider>('PATCH', path, { api_key: KEY, region: null })
    expect(changed.body).toMatchObject({ region: null, base_url: `${fake.url}/v1` })
    expect(changed.body.last_synced).not.toBeNull()
    expect(await handlesOf(`?provider_name=${provider.name}`)).toContain(`${provider.name}/gpt-4o-mini`)
    const check = await server.request('POST', `${path}/check`)
    expect([check.status, check.body]).toEqual([200, { message: 'Valid api key for provider_type=openai' }])
    expect((await server.request('PATCH', path, { api_key: null })).status).toBe(422)
  })
})

describe('checks', () => {
  const check = (over: Record<string, unknown>) =>
    server.request('POST', '/v1/providers/check', {
      provider_type: 'openai',
      api_key: KEY,
      base_url: `${fake.url}/v1`,
      ...over,
    })

  it('tells a valid key from one that is refused and from one that nobody can judge', async () => {
    expect((await check({})).status).toBe(200)
    expect((await check({ provider_type: 'anthropic' })).status).toBe(200)
    const refused = await check({ api_key: 'sk-wrong-and-long-enough' })
    expect(refused.status).toBe(401)
    expect(JSON.stringify(refused.body)).not.toContain('sk-wrong')
    const unknown = await check({ base_url: 'http://127.0.0.1:9' })
    expect([unknown.status, String(unknown.body.detail)]).toEqual([
      503,
      expect.stringContaining('refused the connection'),
    ])
  })

  it.each([
    [{ provider_type: 'bedrock' }, 400, 'cannot be called'],
    [{ provider_type: 'ollama', base_url: null }, 400, 'needs a base_url'],
    [{ base_url: 'ftp://example.org' }, 400, 'base_url must be'],
    [{ base_url: 'https://me:secret@example.org' }, 400, 'base_url must be'],
    [{ provider_type: 'nonsense' }, 422, 'provider_type'],
    [{ api_key: 1 }, 422, 'api_key'],
    [{ api_key: '' }, 422, 'api_key'],
  ])('refuses %j with %i', async (over, status, text) => {
    const response = await check(over)
    expect(response.status).toBe(status)
    expect(String(response.body.detail)).toContain(text)
    const created = await server.request('POST', '/v1/providers/', inputOf(over))
    expect(created.status).toBe(status)
  })
})

describe('refreshing', () => {
  it('reads the list of models again, and says why there is none', async () => {
    const provider = await create()
    const path = `/v1/providers/${provider.id}/refresh`
    const fresh = await server.request<Provider>('PATCH', path)
    expect(fresh.status).toBe(200)
    expect(String(fresh.body.last_synced) > String(provider.last_synced)).toBe(true)
    const broken = await create({ api_key: 'wrong' })
    const refused = await server.request('PATCH', `/v1/providers/${broken.id}/refresh`)
    expect([refused.status, String(refused.body.detail)]).toEqual([503, expect.stringContaining('refuses the key')])
  })
})

describe('lists', () => {
  it('are filtered and paged', async () => {
    const { headers } = await server.addOrganization()
    const made: Provider[] = []
    for (const provider_type of ['openai', 'anthropic', 'openai', 'openai']) {
      made.push(await create({ provider_type, base_url: `${fake.url}` }, headers))
    }
    const list = async (query: string) =>
      (await server.request<Provider[]>('GET', `/v1/providers/?${query}`, undefined, headers)).body.map(({ id }) => id)
    const ids = made.map(({ id }) => id)
    expect(await list('')).toEqual(ids.toReversed())
    expect(await list('order=asc')).toEqual(ids)
    expect(await list('provider_type=anthropic')).toEqual([ids[1]])
    expect(await list(`name=${made[2]?.name}`)).toEqual([ids[2]])
    expect(await list('provider_category=base')).toEqual([])
    expect(await list('provider_category=base&provider_category=byok')).toHaveLength(4)
    expect(await list(`order=asc&limit=2&after=${ids[0]}`)).toEqual([ids[1], ids[2]])
    expect(await list(`limit=1&before=${ids[0]}`)).toEqual([ids[1]])
    const unknown = await server.request('GET', `/v1/providers/?after=${UNKNOWN}`, undefined, headers)
    expect(unknown.status).toBe(404)
  })
})

it('malformed ids are refused', async () => {
  for (const [method, path] of [
    ['GET', ''],
    ['PATCH', ''],
    ['DELETE', ''],
    ['POST', '/check'],
    ['PATCH', '/refresh'],
  ] as const) {
    expect((await server.request(method, `/v1/providers/nonsense${path}`, {})).status).toBe(422)
  }
})

describe('with the default settings', () => {
  let strict: TestServer
  beforeEach(async () => {
    strict = await startTestServer({ models: 'configured' })
  })
  afterEach(() => strict.close())

  it('no client reaches the network behind the server, by an address or by a name', async () => {
    const named = `${fake.url.replace('127.0.0.1', 'localhost')}/v1`
    for (const base_url of [
      'http://127.0.0.1:1/v1',
      'http://[::1]:1/v1',
      'http://169.254.169.254/latest',
      fake.url,
      named,
    ]) {
      const input = inputOf({ base_url })
      for (const path of ['', '/check']) {
        const { status, body } = await strict.request('POST', `/v1/providers${path}`, input)
        expect([status, String(body.detail)], base_url).toEqual([
          400,
          expect.stringContaining('PERDURE_PROVIDER_ADDRESSES'),
        ])
      }
    }
    // one that was stored when it was allowed is not called any more
    const config = { providerAddresses: 'any' } as const
    const open = await startTestServer({ models: 'configured', db: strict.context.db, config })
    const stored = await open.request<Provider>('POST', '/v1/providers/', inputOf({ base_url: named }))
    expect(stored.status).toBe(200)
    await open.close()
    const allowed = fake.requests.length
    const model = `${stored.body.name}/anything`
    const agent = await strict.request<{ id: string }>('POST', '/v1/agents/', { model })
    const said = await strict.request('POST', `/v1/agents/${agent.body.id}/messages`, { input: 'Hello' })
    expect([said.status, JSON.stringify(said.body)]).toEqual([
      400,
      expect.stringContaining('not on the public internet'),
    ])
    expect(fake.requests.length).toBe(allowed)
  })

  it('a server without a key to encrypt with stores none', async () => {
    await using open = await startTestServerWithoutKey()
    const { status, body } = await open.server.request('POST', '/v1/providers/', inputOf({ base_url: null }))
    expect([status, String(body.detail)]).toEqual([400, expect.stringContaining('PERDURE_ENCRYPTION_KEY')])
  })
})

async function startTestServerWithoutKey(): Promise<AsyncDisposable & { server: TestServer }> {
  const keyless = await startTestServer({
    models: 'configured',
    config: { encryptionKey: undefined, databaseUrl: 'postgresql://nowhere' },
  })
  return { server: keyless, [Symbol.asyncDispose]: () => keyless.close() }
}
