import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { DEFAULT_ORGANIZATION_ID, newId } from '#platform/ids.ts'
import { findAgentArchive } from '#store/archives/agent-archive-reader.ts'
import { createTestAgent } from '../support/test-agent.ts'
import { startTestServer, type TestServer } from '../support/test-server.ts'

interface Archive {
  id: string
  name: string
  [field: string]: unknown
}
interface Passage {
  id: string
  text: string
  tags: string[]
  archive_id: string
}

let server: TestServer
let foreign: { headers: Record<string, string> }
beforeAll(async () => {
  server = await startTestServer()
  foreign = await server.addOrganization()
})
afterAll(() => server.close())

const newAgent = (name?: string) =>
  createTestAgent(server.context.db, server.context.models, name === undefined ? {} : { name })

async function create(body: Record<string, unknown> = { name: 'Facts' }): Promise<Archive> {
  const response = await server.request<Archive>('POST', '/v1/archives/', body)
  expect(response.status, JSON.stringify(response.body)).toBe(200)
  return response.body
}
const store = (archiveId: string, passages: unknown[]) =>
  server.request<Passage[]>('POST', `/v1/archives/${archiveId}/passages/batch`, { passages })
const attach = (agentId: string, archiveId: string) =>
  server.request('PATCH', `/v1/agents/${agentId}/archives/attach/${archiveId}`)
const prompt = async (agentId: string) =>
  (await server.request<string>('GET', `/v1/agents/${agentId}/messages?limit=1&order=asc`)).body
const names = async (query: string) =>
  (await server.request<Archive[]>('GET', `/v1/archives/?${query}`)).body.map((archive) => archive.name)

describe('archives', () => {
  test('every field comes back, with nulls', async () => {
    const archive = await create({ name: 'Facts', surprise: 1 })
    expect(archive).toEqual({
      id: expect.stringMatching(/^archive-/),
      name: 'Facts',
      description: null,
      metadata: {},
      vector_db_provider: 'native',
      embedding_config: null,
      created_by_id: 'user-00000000-0000-4000-8000-000000000000',
      last_updated_by_id: 'user-00000000-0000-4000-8000-000000000000',
      created_at: expect.any(String),
      updated_at: expect.any(String),
    })
    expect((await server.request('GET', `/v1/archives/${archive.id}`)).body).toEqual(archive)
  })

  test.each([
    { embedding: 'openai/text-embedding-3-small' },
    { embedding_config: { handle: 'openai/text-embedding-3-small' } },
  ])('the embedding by its handle: %j', async (embedding) => {
    const archive = await create({ name: 'Vectors', ...embedding })
    expect(archive.embedding_config).toMatchObject({ embedding_dim: 1536, handle: 'openai/text-embedding-3-small' })
  })

  test('a change keeps what is not said, and null clears the description only', async () => {
    const { id } = await create({ name: 'a', description: 'b' })
    const modify = async (body: unknown) => (await server.request<Archive>('PATCH', `/v1/archives/${id}`, body)).body
    expect(await modify({ name: 'c' })).toMatchObject({ name: 'c', description: 'b' })
    expect(await modify({ name: null, description: null })).toMatchObject({ name: 'c', description: null })
    expect(await modify({})).toMatchObject({ name: 'c', description: null })
  })

  test('lists by name, by agent, in pages', async () => {
    const made = []
    for (const name of ['list one', 'list two', 'list three']) made.push(await create({ name }))
    const agentId = await newAgent()
    await attach(agentId, made[1]?.id ?? '')
    expect(await names('name=list%20two')).toEqual(['list two'])
    expect(await names(`agent_id=${agentId}`)).toEqual(['list two'])
    expect(await names(`agent_id=${newId('agent')}`)).toEqual([])
    expect(await names('limit=2')).toEqual(['list three', 'list two'])
    expect(await names(`order=asc&limit=2&after=${made[0]?.id}`)).toEqual(['list two', 'list three'])
    expect(await names(`before=${made[0]?.id}&limit=1`)).toEqual(['list two'])
    expect((await server.request('GET', `/v1/archives?after=${newId('archive')}`)).status).toBe(404)
  })

  test('delete takes the passages and the place in agents', async () => {
    const agentId = await newAgent()
    const { id } = await create()
    await attach(agentId, id)
    await store(id, [{ text: 'gone soon' }])
    const deleted = await server.request('DELETE', `/v1/archives/${id}`)
    expect([deleted.status, deleted.body]).toEqual([204, ''])
    expect((await server.request('DELETE', `/v1/archives/${id}`)).status).toBe(404)
    expect((await server.request('GET', `/v1/agents/${agentId}/archival-memory`)).body).toEqual([])
    expect((await server.request('POST', '/v1/passages/search', { query: 'gone' })).body).toEqual([])
    // the next passage of the agent makes a new archive
    const [passage] = (
      await server.request<Passage[]>('POST', `/v1/agents/${agentId}/archival-memory`, { text: 'here again' })
    ).body
    expect(passage?.archive_id).not.toBe(id)
  })
})

describe('passages of an archive', () => {
  test('one, with all that can be said of it', async () => {
    const { id } = await create()
    const { status, body } = await server.request<Passage>('POST', `/v1/archives/${id}/passages`, {
      text: 'Nils sails',
      tags: ['boat', 'boat', 'nils'],
      metadata: { page: 7 },
      created_at: '2026-01-01T10:00:00Z',
    })
    expect(status).toBe(200)
    expect(body).toMatchObject({
      id: expect.stringMatching(/^passage-/),
      archive_id: id,
      text: 'Nils sails',
      tags: ['boat', 'nils'],
      metadata: { page: 7 },
      created_at: '2026-01-01T10:00:00.000Z',
    })
  })

  test('many keep their order, and a broken one stops them all', async () => {
    const { id } = await create()
    const texts = Array.from({ length: 30 }, (_, index) => `fact ${index}`)
    const stored = await store(
      id,
      texts.map((text) => ({ text, tags: [text.slice(0, 6)] })),
    )
    expect(stored.body.map((passage) => passage.text)).toEqual(texts)
    const agentId = await newAgent()
    await attach(agentId, id)
    const list = async () =>
      (await server.request<Passage[]>('GET', `/v1/agents/${agentId}/archival-memory`)).body.map((p) => p.text)
    expect(await list()).toEqual(texts)
    expect((await store(id, [{ text: 'fine' }, { text: ' ' }])).status).toBe(422)
    expect((await store(id, [{ text: 'fine' }, { text: 'x'.repeat(32_769) }])).status).toBe(400)
    expect((await store(id, [{ text: 'fine' }, { text: 'x', created_at: 'soon' }])).body).toMatchObject({
      detail: expect.stringContaining('passages.1.created_at'),
    })
    expect(await list()).toEqual(texts)
    expect((await store(id, [])).body).toEqual([])
  })

  test('the count that prompts tell, and the tags, follow every write', async () => {
    const agentId = await newAgent()
    const { id } = await create()
    await attach(agentId, id)
    const stored = await store(id, [
      { text: 'one', tags: ['t1'] },
      { text: 'two', tags: ['t2'] },
    ])
    const tell = async () => {
      await server.request('PATCH', `/v1/agents/${agentId}/core-memory/blocks/human`, { value: String(Math.random()) })
      return JSON.stringify(await prompt(agentId))
    }
    expect(await tell()).toContain('- 2 total memories you created')
    const gone = await server.request('DELETE', `/v1/archives/${id}/passages/${stored.body[0]?.id}`)
    expect([gone.status, gone.body]).toEqual([204, ''])
    const told = await tell()
    expect(told).toContain('- 1 total memories you created')
    expect(told).toContain('Available archival memory tags: t2')
    expect((await server.request('DELETE', `/v1/archives/${id}/passages/${stored.body[0]?.id}`)).status).toBe(404)
    const { id: other } = await create()
    expect((await server.request('DELETE', `/v1/archives/${other}/passages/${stored.body[1]?.id}`)).status).toBe(404)
  })

  test('search in one archive', async () => {
    const { id } = await create()
    const { id: other } = await create()
    await store(id, [{ text: 'a lighthouse stands here', tags: ['sea'] }, { text: 'a lighthouse stood there' }])
    await store(other, [{ text: 'the lighthouse of elsewhere' }])
    const find = async (body: object) =>
      (
        await server.request<{ passage: Passage }[]>('POST', '/v1/passages/search', { query: 'lighthouses', ...body })
      ).body.map((hit) => hit.passage.archive_id)
    expect(await find({ archive_id: id })).toEqual([id, id])
    expect(await find({ archive_id: other })).toEqual([other])
    expect(await find({ archive_id: id, tags: ['sea'] })).toEqual([id])
    expect((await find({})).toSorted()).toEqual([id, id, other].toSorted())
  })
})

describe('archives of agents', () => {
  test('attach, twice the same, and no second one', async () => {
    const agentId = await newAgent('Shared reader')
    const { id } = await create()
    const first = await attach(agentId, id)
    expect([first.status, first.body]).toEqual([200, null])
    expect((await attach(agentId, id)).status).toBe(200)
    const { id: other } = await create()
    const refused = await attach(agentId, other)
    expect([refused.status, refused.headers['x-should-retry']]).toEqual([409, 'false'])
    expect(refused.body).toMatchObject({ detail: expect.stringContaining(id) })
    const agents = await server.request<{ id: string }[]>('GET', `/v1/archives/${id}/agents`)
    expect(agents.body.map((agent) => agent.id)).toEqual([agentId])
    expect((await server.request('GET', `/v1/archives/${other}/agents`)).body).toEqual([])
  })

  test('detach leaves the archive, and another can come', async () => {
    const agentId = await newAgent()
    const { id } = await create()
    const { id: other } = await create()
    await attach(agentId, id)
    const detach = (archiveId: string) => server.request('PATCH', `/v1/agents/${agentId}/archives/detach/${archiveId}`)
    expect((await detach(other)).body).toBeNull()
    expect((await findAgentArchive(server.context.db, DEFAULT_ORGANIZATION_ID, agentId))?.archive_id).toBe(id)
    const detached = await detach(id)
    expect([detached.status, detached.body]).toEqual([200, null])
    expect((await attach(agentId, other)).status).toBe(200)
    expect((await server.request('GET', `/v1/archives/${id}`)).status).toBe(200)
  })

  test('the archive that an agent makes by its first passage is one of the list', async () => {
    const agentId = await newAgent('Ada')
    await server.request('POST', `/v1/agents/${agentId}/archival-memory`, { text: 'first' })
    expect(await names(`agent_id=${agentId}`)).toEqual(["Ada's Archive"])
    const { id } = await create()
    expect((await attach(agentId, id)).status).toBe(409)
  })
})

describe('refusals', () => {
  test.each<[string, 'GET' | 'POST' | 'PATCH' | 'DELETE', string, unknown]>([
    ['retrieve', 'GET', '/v1/archives/ID', undefined],
    ['update', 'PATCH', '/v1/archives/ID', { name: 'x' }],
    ['delete', 'DELETE', '/v1/archives/ID', undefined],
    ['agents', 'GET', '/v1/archives/ID/agents', undefined],
    ['passages.create', 'POST', '/v1/archives/ID/passages', { text: 'x' }],
    ['passages.createMany', 'POST', '/v1/archives/ID/passages/batch', { passages: [{ text: 'x' }] }],
    ['passages.createMany of none', 'POST', '/v1/archives/ID/passages/batch', { passages: [] }],
    ['passages.delete', 'DELETE', `/v1/archives/ID/passages/${newId('passage')}`, undefined],
  ])('%s: unknown, malformed, of somebody else', async (_, method, path, body) => {
    const at = (id: string, headers?: Record<string, string>) =>
      server.request(method, path.replace('ID', id), body, headers)
    const { id } = await create()
    expect((await at(newId('archive'))).status).toBe(404)
    expect((await at('archive-1')).status).toBe(422)
    const unknown = newId('archive')
    const theirs = await at(id, foreign.headers)
    const nobodys = await at(unknown, foreign.headers)
    expect(theirs.status).toBe(404)
    expect(JSON.stringify(theirs.body).replaceAll(id, '')).toBe(JSON.stringify(nobodys.body).replaceAll(unknown, ''))
    expect((await server.request('GET', `/v1/archives/${id}`)).status).toBe(200)
  })

  test.each(['attach', 'detach'])('%s: unknown agents and archives, and those of somebody else', async (verb) => {
    const agentId = await newAgent()
    const { id } = await create()
    const call = async (agent: string, archive: string, headers?: Record<string, string>) =>
      (await server.request('PATCH', `/v1/agents/${agent}/archives/${verb}/${archive}`, undefined, headers)).status
    expect(await call(newId('agent'), id)).toBe(404)
    expect(await call(agentId, newId('archive'))).toBe(404)
    expect(await call(agentId, 'nonsense')).toBe(404)
    expect(await call('agent-1', id)).toBe(422)
    expect(await call(agentId, id, foreign.headers)).toBe(404)
    const theirs = (await server.request<Archive>('POST', '/v1/archives', { name: 'theirs' }, foreign.headers)).body
    expect(await call(agentId, theirs.id)).toBe(404)
  })

  test('the lists of another organisation are empty', async () => {
    const { headers } = await server.addOrganization()
    await create()
    expect((await server.request('GET', '/v1/archives', undefined, headers)).body).toEqual([])
  })

  test.each<[string, string, unknown]>([
    ['no name', '/v1/archives', {}],
    ['a blank name', '/v1/archives', { name: ' ' }],
    ['a number as name', '/v1/archives', { name: 1 }],
  ])('422 for %s', async (_, path, body) => {
    expect((await server.request('POST', path, body)).status).toBe(422)
  })
})
