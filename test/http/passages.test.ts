import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { DEFAULT_ORGANIZATION_ID, newId } from '#platform/ids.ts'
import { seedTurn } from '../support/seed.ts'
import { startTestServer, type TestServer } from '../support/test-server.ts'

interface Passage {
  id: string
  text: string
  tags: string[]
  archive_id: string
  created_at: string
}

let server: TestServer
let agentId: string
const ids: string[] = []
beforeAll(async () => {
  server = await startTestServer()
  agentId = (await seedTurn(server.context.db, DEFAULT_ORGANIZATION_ID, 'Ada')).agentId
})
afterAll(() => server.close())

const create = (body: unknown, agent = agentId) =>
  server.request<Passage[]>('POST', `/v1/agents/${agent}/archival-memory`, body)
const listed = async (query: string) =>
  (await server.request<Passage[]>('GET', `/v1/agents/${agentId}/archival-memory?${query}`)).body.map((p) => p.text)

describe('create and list', () => {
  test('an agent without passages has an empty list', async () => {
    expect(await listed('')).toEqual([])
  })

  test('the answer is a list of one, with every field', async () => {
    for (const [text, tags, created_at] of [
      ['Nils sails a blue boat', ['boat', 'boat'], '2026-01-01T10:00:00Z'],
      ['Ada reads 50% more', ['book'], '2026-01-02T10:00:00+02:00'],
      ['The boat has a name', null, undefined],
    ]) {
      const { status, body } = await create({ text, tags, created_at })
      expect(status).toBe(200)
      expect(body.length).toBe(1)
      ids.push(body[0]?.id ?? '')
    }
    const [first] = (await server.request<Passage[]>('GET', `/v1/agents/${agentId}/archival-memory?limit=1`)).body
    expect(first).toEqual({
      id: ids[0],
      text: 'Nils sails a blue boat',
      tags: ['boat'],
      archive_id: expect.stringMatching(/^archive-/),
      created_at: '2026-01-01T10:00:00.000Z',
      updated_at: expect.any(String),
      created_by_id: 'user-00000000-0000-4000-8000-000000000000',
      last_updated_by_id: 'user-00000000-0000-4000-8000-000000000000',
      is_deleted: false,
      metadata: {},
      embedding: null,
      embedding_config: null,
      source_id: null,
      file_id: null,
      file_name: null,
    })
  })

  test.each<[string, number[]]>([
    ['', [0, 1, 2]],
    ['ascending=false', [2, 1, 0]],
    ['limit=2', [0, 1]],
    ['search=BOAT', [0, 2]],
    ['search=50%25', [1]],
    ['search=oat&ascending=false&limit=1', [2]],
  ])('%s', async (query, expected) => {
    const texts = ['Nils sails a blue boat', 'Ada reads 50% more', 'The boat has a name']
    expect(await listed(query)).toEqual(expected.map((index) => texts[index]))
  })

  test('cursors', async () => {
    expect(await listed(`after=${ids[0]}&limit=1`)).toEqual(['Ada reads 50% more'])
    expect(await listed(`before=${ids[2]}&limit=1`)).toEqual(['Ada reads 50% more'])
    expect(await listed(`after=${ids[2]}&ascending=false&limit=1`)).toEqual(['Ada reads 50% more'])
    const unknown = await server.request('GET', `/v1/agents/${agentId}/archival-memory?after=${newId('passage')}`)
    expect(unknown.status).toBe(404)
  })

  test.each<[number, string, unknown]>([
    [400, 'more than 8192 tokens', { text: 'a'.repeat(32_769) }],
    [422, 'an empty text', { text: '  ' }],
    [422, 'no text', {}],
    [422, 'a number as text', { text: 5 }],
    [422, 'a text as tags', { text: 'x', tags: 'a' }],
    [422, 'a time that is none', { text: 'x', created_at: 'yesterday' }],
    [422, 'a tag without end', { text: 'x', tags: ['a'.repeat(201)] }],
  ])('%i for %s', async (status, _, body) => {
    expect((await create(body)).status).toBe(status)
  })

  test('exactly 8192 tokens are taken', async () => {
    const { agentId: other } = await seedTurn(server.context.db, DEFAULT_ORGANIZATION_ID)
    expect((await create({ text: 'a'.repeat(32_768) }, other)).status).toBe(200)
  })
})

describe('search', () => {
  const search = async (query: string) =>
    (
      await server.request<{ count: number; results: { id: string; content: string }[] }>(
        'GET',
        `/v1/agents/${agentId}/archival-memory/search?${query}`,
      )
    ).body

  test.each<[string, string[]]>([
    ['query=sailing', ['Nils sails a blue boat']],
    ['query=sailing boats', ['Nils sails a blue boat', 'The boat has a name']],
    ['query=boat&top_k=1&tags=boat', ['Nils sails a blue boat']],
    ['query=boat&tags=boat&tags=book&tag_match_mode=all', []],
    ['query=boat ada&tags=boat&tags=book', ['Ada reads 50% more', 'Nils sails a blue boat']],
    ['query=boat&end_datetime=2026-01-01', ['Nils sails a blue boat']],
    ['query=boat&start_datetime=2026-01-02T00:00:00', ['The boat has a name']],
    ['query="blue boat"', ['Nils sails a blue boat']],
    ['query=', ['The boat has a name', 'Ada reads 50% more', 'Nils sails a blue boat']],
  ])('%s', async (query, expected) => {
    const { count, results } = await search(query.replaceAll(' ', '%20').replaceAll('"', '%22'))
    expect(results.map((result) => result.content)).toEqual(expected)
    expect(count).toBe(expected.length)
  })

  test.each(['', 'query=x&top_k=0', 'query=x&tag_match_mode=some', 'query=x&start_datetime=soon'])(
    '"%s" is refused',
    async (query) => {
      expect((await server.request('GET', `/v1/agents/${agentId}/archival-memory/search?${query}`)).status).toBe(422)
    },
  )

  test('the organisation-wide search', async () => {
    const find = async (body: unknown) =>
      (await server.request<{ passage: Passage; score: number }[]>('POST', '/v1/passages/search', body)).body
    const { agentId: other } = await seedTurn(server.context.db, DEFAULT_ORGANIZATION_ID, 'Other')
    const [passage] = (await create({ text: 'Another boat elsewhere' }, other)).body
    expect((await find({ query: 'boat' })).length).toBe(3)
    const [found] = await find({ query: 'boat', archive_id: passage?.archive_id, limit: 1 })
    expect(found).toEqual({
      passage,
      score: expect.any(Number),
      metadata: { relevance: expect.objectContaining({ fts_rank: 1, matched_terms: ['boat'], search_mode: 'fts' }) },
    })
    expect((await find({ query: 'boat', agent_id: other })).map((hit) => hit.passage.id)).toEqual([passage?.id])
    expect((await find({ agent_id: agentId, start_date: '2026-01-02', end_date: '2026-01-02' })).length).toBe(1)
    expect((await find({})).length).toBeGreaterThanOrEqual(4)
  })

  test.each<[number, object]>([
    [404, { agent_id: newId('agent') }],
    [404, { archive_id: newId('archive') }],
    [422, { agent_id: 'agent-1' }],
    [422, { limit: 101 }],
    [422, { tags: 'a' }],
    [422, { query: 1 }],
  ])('%i for %j', async (status, body) => {
    expect((await server.request('POST', '/v1/passages/search', body)).status).toBe(status)
  })
})

test('delete, by the official client', async () => {
  const client = await server.sdk()
  const [passage] = await client.agents.passages.create(agentId, { text: 'for a moment' })
  const memoryId = passage?.id ?? ''
  expect(await client.agents.passages.delete(memoryId, { agent_id: agentId })).toEqual({
    message: `Memory id=${memoryId} successfully deleted`,
  })
  expect((await server.request('DELETE', `/v1/agents/${agentId}/archival-memory/${memoryId}`)).status).toBe(404)
  expect((await client.agents.passages.list(agentId)).length).toBe(3)
  expect((await client.agents.passages.search(agentId, { query: 'boat' })).count).toBe(2)
  expect((await client.passages.search({ query: 'boat', agent_id: agentId })).length).toBe(2)
})
