import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { newId } from '#platform/ids.ts'
import { startTestServer, type TestServer } from '../support/test-server.ts'

interface Identity {
  id: string
  identifier_key: string
  agent_ids: string[]
  block_ids: string[]
  properties: { key: string; value: unknown; type: string }[]
  [field: string]: unknown
}

let server: TestServer
let agent: string
let block: string
beforeAll(async () => {
  server = await startTestServer()
  agent = await newAgent()
  block = (await server.request<{ id: string }>('POST', '/v1/blocks', { label: 'a', value: '' })).body.id
})
afterAll(() => server.close())

const newAgent = async (body: object = {}) =>
  (await server.request<{ id: string }>('POST', '/v1/agents', { model: 'openai/gpt-4o-mini', ...body })).body.id

let count = 0
async function create(body: object = {}, headers?: Record<string, string>): Promise<Identity> {
  count += 1
  const full = { identifier_key: `key-${count}`, name: `Name ${count}`, identity_type: 'user', ...body }
  const response = await server.request<Identity>('POST', '/v1/identities/', full, headers)
  expect(response.status, JSON.stringify(response.body)).toBe(200)
  return response.body
}
const agentsWith = async (query: string) =>
  (await server.request<{ id: string }[]>('GET', `/v1/agents/?${query}`)).body.map(({ id }) => id)
const read = async (id: string) => (await server.request<Identity>('GET', `/v1/identities/${id}`)).body

describe('create, retrieve, list, count', () => {
  test('all fields come back', async () => {
    const properties = [
      { key: 'age', value: 7, type: 'number' },
      { key: 'age', value: 8, type: 'number' },
      { key: 'is', value: { a: [1] }, type: 'json' },
    ]
    const identity = await create({
      agent_ids: [agent, agent],
      block_ids: [block],
      properties,
      project_id: 'project-x',
    })
    expect(identity).toEqual({
      id: expect.stringMatching(/^identity-/),
      identifier_key: identity.identifier_key,
      name: identity.name,
      identity_type: 'user',
      project_id: 'project-x',
      agent_ids: [agent],
      block_ids: [block],
      properties: properties.slice(1),
    })
    expect(await read(identity.id)).toEqual(identity)
    const agents = await server.request<{ id: string }[]>('GET', `/v1/identities/${identity.id}/agents`)
    expect(agents.body.map(({ id }) => id)).toEqual([agent])
    const blocks = await server.request<{ id: string }[]>('GET', `/v1/identities/${identity.id}/blocks`)
    expect(blocks.body.map(({ id }) => id)).toEqual([block])
  })

  test('a key stands once in a project', async () => {
    const { identifier_key } = await create()
    const again = { identifier_key, name: 'x', identity_type: 'org' }
    const refused = await server.request('POST', '/v1/identities/', again)
    expect(refused.status).toBe(409)
    expect(refused.headers['x-should-retry']).toBe('false')
    expect((await server.request('POST', '/v1/identities/', { ...again, project_id: 'p' })).status).toBe(200)
  })

  test('filters and pages', async () => {
    const one = await create({ name: 'Zed 100%', identity_type: 'org', project_id: 'filtered' })
    const two = await create({ name: 'Zoe', identity_type: 'other', project_id: 'filtered' })
    const ids = async (query: string) =>
      (await server.request<Identity[]>('GET', `/v1/identities/?${query}`)).body.map(({ id }) => id)
    expect(await ids('project_id=filtered')).toEqual([two.id, one.id])
    expect(await ids('project_id=filtered&order=asc&limit=1')).toEqual([one.id])
    expect(await ids(`project_id=filtered&order=asc&after=${one.id}`)).toEqual([two.id])
    expect(await ids('name=zed')).toEqual([one.id])
    expect(await ids('name=%25')).toEqual([one.id])
    expect(await ids('identity_type=other&project_id=filtered')).toEqual([two.id])
    expect(await ids(`identifier_key=${two.identifier_key}`)).toEqual([two.id])
    expect((await server.request('GET', '/v1/identities/?identity_type=cat')).status).toBe(422)
    expect((await server.request('GET', `/v1/identities/?after=${newId('identity')}`)).status).toBe(404)
    const before = (await server.request<number>('GET', '/v1/identities/count')).body
    await create()
    expect((await server.request<number>('GET', '/v1/identities/count')).body).toBe(before + 1)
  })

  test.each([
    ['no key', { identifier_key: undefined }],
    ['an empty key', { identifier_key: '' }],
    ['an unknown type', { identity_type: 'cat' }],
    ['a number as name', { name: 1 }],
    ['a malformed agent', { agent_ids: ['x'] }],
    ['a property of another type', { properties: [{ key: 'a', value: 'x', type: 'number' }] }],
    ['a property without type', { properties: [{ key: 'a', value: 'x' }] }],
  ])('%s is refused', async (_, body) => {
    const full = { identifier_key: 'bad', name: 'n', identity_type: 'user', ...body }
    expect((await server.request('POST', '/v1/identities/', full)).status).toBe(422)
  })

  test('agents and blocks that are not there are 404, and nothing is stored', async () => {
    const body = { identifier_key: 'nowhere', name: 'n', identity_type: 'user' }
    expect((await server.request('POST', '/v1/identities/', { ...body, agent_ids: [newId('agent')] })).status).toBe(404)
    expect((await server.request('POST', '/v1/identities/', { ...body, block_ids: [newId('block')] })).status).toBe(404)
    expect((await server.request('GET', '/v1/identities/?identifier_key=nowhere')).body).toEqual([])
  })
})

describe('change', () => {
  test('a PATCH adds, an upsert replaces, null empties', async () => {
    const other = await newAgent()
    const p = (key: string, value: string) => ({ key, value, type: 'string' })
    const identity = await create({ agent_ids: [agent], properties: [p('a', '1'), p('b', '1')] })
    const url = `/v1/identities/${identity.id}`
    const change = { name: 'New', agent_ids: [other], properties: [p('b', '2'), p('c', '2')] }
    const patched = (await server.request<Identity>('PATCH', url, change)).body
    const properties = [p('a', '1'), p('b', '2'), p('c', '2')]
    expect(patched).toEqual({ ...identity, name: 'New', agent_ids: [agent, other], properties })
    expect((await server.request('PATCH', url, {})).body).toEqual(patched)

    expect((await server.request('PUT', `${url}/properties`, [p('a', '3')])).body).toBeNull()
    expect((await read(identity.id)).properties[0]).toEqual(p('a', '3'))

    const upsert = { identifier_key: identity.identifier_key, name: 'Put', identity_type: 'org' }
    const kept = (await server.request<Identity>('PUT', '/v1/identities/', upsert)).body
    expect(kept).toMatchObject({ id: identity.id, name: 'Put', identity_type: 'org', agent_ids: [agent, other] })
    const lists = { ...upsert, agent_ids: [other], properties: [p('z', '1')] }
    const replaced = (await server.request<Identity>('PUT', '/v1/identities/', lists)).body
    expect(replaced).toMatchObject({ id: identity.id, agent_ids: [other], properties: [p('z', '1')] })
    const cleared = await server.request<Identity>('PATCH', url, { agent_ids: null, properties: null, name: null })
    expect(cleared.body).toMatchObject({ name: 'Put', agent_ids: [], properties: [] })
  })

  test('an upsert of a new key creates; two at once make one', async () => {
    const body = { identifier_key: 'fresh', name: 'n', identity_type: 'user', properties: [] }
    const answers = await Promise.all([1, 2, 3].map(() => server.request<Identity>('PUT', '/v1/identities/', body)))
    expect(new Set(answers.map((answer) => answer.body.id)).size).toBe(1)
    expect(answers.every((answer) => answer.status === 200)).toBe(true)
  })

  test('a key that another one has is refused', async () => {
    const one = await create()
    const two = await create()
    const body = { identifier_key: one.identifier_key }
    expect((await server.request('PATCH', `/v1/identities/${two.id}`, body)).status).toBe(409)
    expect(await read(two.id)).toEqual(two)
  })

  test('deleting leaves agents and blocks', async () => {
    const identity = await create({ agent_ids: [agent], block_ids: [block] })
    expect((await server.request('DELETE', `/v1/identities/${identity.id}`)).body).toBeNull()
    expect((await server.request('GET', `/v1/identities/${identity.id}`)).status).toBe(404)
    expect((await server.request('GET', `/v1/agents/${agent}`)).status).toBe(200)
    expect((await server.request('GET', `/v1/blocks/${block}`)).status).toBe(200)
  })
})

describe('at agents and blocks', () => {
  test.each(['agents', 'blocks'])('attach and detach at %s, twice each', async (place) => {
    const identity = await create()
    const id = place === 'agents' ? agent : block
    const field = place === 'agents' ? 'agent_ids' : 'block_ids'
    for (const [verb, expected] of [
      ['attach', [id]],
      ['attach', [id]],
      ['detach', []],
      ['detach', []],
    ] as const) {
      const response = await server.request('PATCH', `/v1/${place}/${id}/identities/${verb}/${identity.id}`)
      expect(response.status).toBe(200)
      expect(response.body).toEqual(place === 'agents' ? null : expect.objectContaining({ id }))
      expect((await read(identity.id))[field]).toEqual(expected)
    }
  })

  test.each(['attach', 'detach'])('%s: what is not there is 404, also of another organisation', async (verb) => {
    const identity = await create()
    const { headers } = await server.addOrganization()
    const urls = [
      `/v1/agents/${newId('agent')}/identities/${verb}/${identity.id}`,
      `/v1/agents/${agent}/identities/${verb}/${newId('identity')}`,
      `/v1/agents/${agent}/identities/${verb}/nothing`,
      `/v1/blocks/${newId('block')}/identities/${verb}/${identity.id}`,
      `/v1/blocks/${block}/identities/${verb}/${newId('identity')}`,
    ]
    for (const url of urls) expect((await server.request('PATCH', url)).status, url).toBe(404)
    const foreign = `/v1/agents/${agent}/identities/${verb}/${identity.id}`
    expect((await server.request('PATCH', foreign, undefined, headers)).status).toBe(404)
    expect((await server.request('PATCH', `/v1/agents/x/identities/${verb}/${identity.id}`)).status).toBe(422)
  })

  test('identity_ids of an agent: created with, replaced, shown when asked for, filtered by', async () => {
    const one = await create()
    const two = await create()
    const created = await server.request<{ id: string; identity_ids: string[] }>('POST', '/v1/agents', {
      model: 'openai/gpt-4o-mini',
      identity_ids: [one.id],
    })
    expect(created.body).toMatchObject({ identity_ids: [one.id], identities: [{ id: one.id }] })
    const { id } = created.body
    expect((await server.request('GET', `/v1/agents/${id}`)).body).toMatchObject({ identity_ids: [], identities: [] })
    const shown = await server.request('GET', `/v1/agents/${id}?include=agent.identities`)
    expect(shown.body).toMatchObject({ identity_ids: [one.id], identities: [{ ...one, agent_ids: [id] }] })
    const changed = await server.request('PATCH', `/v1/agents/${id}`, { identity_ids: [two.id] })
    expect(changed.body).toMatchObject({ identity_ids: [two.id] })
    expect(await agentsWith(`identity_id=${two.id}`)).toEqual([id])
    expect(await agentsWith(`identity_id=${one.id}`)).toEqual([])
    expect(await agentsWith(`identifier_keys=${two.identifier_key}&identifier_keys=none`)).toEqual([id])
    expect(await agentsWith('identifier_keys=none')).toEqual([])
    const unknown = { identity_ids: [newId('identity')] }
    expect((await server.request('PATCH', `/v1/agents/${id}`, unknown)).status).toBe(404)
    expect((await server.request('POST', '/v1/agents', { model: 'openai/gpt-4o-mini', ...unknown })).status).toBe(404)
    expect((await server.request('PATCH', `/v1/agents/${id}`, { identity_ids: null })).body).toMatchObject({
      identity_ids: [],
    })
  })

  test('blocks are filtered by identity', async () => {
    const identity = await create({ block_ids: [block] })
    const ids = async (query: string) =>
      (await server.request<{ id: string }[]>('GET', `/v1/blocks/?${query}`)).body.map(({ id }) => id)
    expect(await ids(`identity_id=${identity.id}`)).toEqual([block])
    expect(await ids(`identifier_keys=${identity.identifier_key}`)).toEqual([block])
    expect(await ids(`identifier_keys=${identity.identifier_key}&identity_id=${newId('identity')}`)).toEqual([])
    expect((await server.request('GET', `/v1/blocks/count?identity_id=${identity.id}`)).body).toBe(1)
  })
})

describe('ids', () => {
  test.each<['GET' | 'PATCH' | 'PUT' | 'DELETE', string, unknown?]>([
    ['GET', ''],
    ['PATCH', '', { name: 'x' }],
    ['DELETE', ''],
    ['PUT', '/properties', []],
    ['GET', '/agents'],
    ['GET', '/blocks'],
  ])('%s %s', async (method, rest, body) => {
    const { headers } = await server.addOrganization()
    const identity = await create()
    const ask = async (id: string, as?: Record<string, string>) =>
      (await server.request(method, `/v1/identities/${id}${rest}`, body, as)).status
    expect(await ask(newId('identity'))).toBe(404)
    expect(await ask(identity.id, headers)).toBe(404)
    expect(await ask('identity-1')).toBe(422)
    expect(await read(identity.id)).toEqual(identity)
  })
})
