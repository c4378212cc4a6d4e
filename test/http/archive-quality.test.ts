import { afterAll, beforeAll, expect, test } from 'vitest'
import { statement } from '#store/db.ts'
import { scriptedModel } from '../support/scripted-model.ts'
import { startTestServer, type TestServer } from '../support/test-server.ts'

const MODEL = 'openai/gpt-4o-mini'
const { registry } = scriptedModel(({ messages }) => {
  const last = messages.at(-1)
  if (last?.role !== 'user') return { text: 'Done.' }
  return { toolCalls: [{ name: 'archival_memory_search', arguments: { query: 'lighthouse', top_k: 1 } }] }
})

let server: TestServer
beforeAll(async () => {
  server = await startTestServer({ models: registry })
})
afterAll(() => server.close())

interface Seen {
  id: string
  text: string
  retrieval_count: number
  last_retrieved_at: string | null
}
interface Quality {
  passage_count: number
  examined: number
  next_after: string | null
  duplicates: { count: number; groups: { count: number; passages: Seen[] }[] }
  near_duplicates: { count: number; pairs: { passages: Seen[]; similarity: number }[] }
  never_retrieved: { count: number; passages: Seen[] }
  stale: { count: number; passages: Seen[] }
  tags: { tag: string; count: number }[]
  untagged_count: number
}

const quality = async (archiveId: string, query = '') =>
  (await server.request<Quality>('GET', `/v1/archives/${archiveId}/quality?${query}`)).body
async function archiveOf(passages: { text: string; tags?: string[]; created_at?: string }[]) {
  const { id } = (await server.request<{ id: string }>('POST', '/v1/archives', { name: 'x' })).body
  const { body } = await server.request<{ id: string }[]>('POST', `/v1/archives/${id}/passages/batch`, { passages })
  return { id, ids: body.map((passage) => passage.id) }
}
const daysAgo = (days: number) => new Date(Date.now() - days * 86_400_000).toISOString()

/** As they are in an archive from before duplicates were recognised. */
const COPY = statement(
  'test-copy-passage',
  `insert into passages (organization_id, id, archive_id, text, tags, created_at)
   select organization_id, id || $2, archive_id, upper(text), tags, created_at + interval '1 second' from passages where id = $1`,
)

test('an archive in which nothing is wrong, and one that is empty', async () => {
  const { id } = await archiveOf([{ text: 'The lighthouse is white.', tags: ['sea'] }])
  expect(await quality(id)).toMatchObject({
    passage_count: 1,
    examined: 1,
    next_after: null,
    duplicates: { count: 0, groups: [] },
    near_duplicates: { count: 0, pairs: [] },
    never_retrieved: { count: 1 },
    stale: { count: 0, passages: [] },
    tags: [{ tag: 'sea', count: 1 }],
    untagged_count: 0,
  })
  expect(await quality((await archiveOf([])).id)).toMatchObject({ examined: 0, next_after: null, tags: [] })
  const unknown = await server.request('GET', '/v1/archives/archive-00000000-0000-4000-8000-000000000000/quality')
  expect(unknown.status).toBe(404)
})

test('duplicates, near-duplicates, what is never retrieved, what is stale, and tags', async () => {
  const report = 'The quarterly report is due on the first Monday of March, and goes to the board and to the auditors.'
  const { id, ids } = await archiveOf([
    { text: 'The lighthouse is white, and stands on the cape.', tags: ['sea', 'white'], created_at: daysAgo(200) },
    { text: 'The boat is red.', tags: ['sea'], created_at: daysAgo(150) },
    { text: report, created_at: daysAgo(120) },
    { text: report.replace('March', 'April'), created_at: daysAgo(50) },
    { text: 'Tides are high at noon.', tags: ['sea'], created_at: daysAgo(10) },
  ])
  for (const suffix of ['-b', '-c']) await server.context.db.query(COPY, [ids[1], suffix])

  const agentId = (
    await server.request<{ id: string }>('POST', '/v1/agents', { model: MODEL, tools: ['archival_memory_search'] })
  ).body.id
  await server.request('PATCH', `/v1/agents/${agentId}/archives/attach/${id}`)
  await server.request('POST', `/v1/agents/${agentId}/messages`, { messages: [{ role: 'user', content: 'Where?' }] })
  const path = `/v1/agents/${agentId}/archival-memory/search`
  await server.request('GET', `${path}?query=tides&top_k=1`)
  await server.request('POST', '/v1/passages/search', { query: 'lighthouse', archive_id: id, limit: 1 })
  await server.context.retrievals.flush()

  const body = await quality(id)
  expect(body).toMatchObject({ passage_count: 5, examined: 7, next_after: null, untagged_count: 2 })
  expect(body.duplicates.count).toBe(2)
  expect(body.duplicates.groups).toHaveLength(1)
  expect(body.duplicates.groups[0]?.passages.map((passage) => passage.id)).toEqual([
    ids[1],
    `${ids[1]}-b`,
    `${ids[1]}-c`,
  ])
  expect(body.near_duplicates.count).toBe(1)
  expect(body.near_duplicates.pairs[0]?.passages).toMatchObject([
    { id: ids[2], text: report },
    { id: ids[3], text: report.replace('March', 'April') },
  ])
  expect(body.near_duplicates.pairs[0]?.similarity).toBeGreaterThan(0.8)
  expect(body.never_retrieved.count).toBe(5)
  expect(body.never_retrieved.passages.map((passage) => passage.id)).not.toContain(ids[0])
  // the lighthouse is old, but was asked for
  expect(body.stale.passages.map((passage) => passage.id)).toEqual([ids[1], `${ids[1]}-b`, `${ids[1]}-c`, ids[2]])
  expect(body.tags).toEqual([
    { tag: 'sea', count: 5 },
    { tag: 'white', count: 1 },
  ])
  const [first] = (await quality(id, 'stale_days=1')).stale.passages
  expect(first).toMatchObject({ id: ids[1], retrieval_count: 0, last_retrieved_at: null })
  expect(await quality(id, 'stale_days=365')).toMatchObject({ stale: { count: 0 } })

  const count = statement(
    'test-count-retrievals',
    'select retrieval_count as count from passage_retrievals where passage_id = $1',
  )
  const of = async (passageId = '') =>
    (await server.context.db.query<{ count: number }>(count, [passageId]))[0]?.count ?? 0
  expect([await of(ids[0]), await of(ids[4]), await of(ids[1])]).toEqual([2, 1, 0])
})

test('a large archive is reported part by part, each at a bounded price', async () => {
  const { id } = await archiveOf(
    Array.from({ length: 1_300 }, (_, index) => ({ text: `Note ${index}: ${index * 7_919}`, tags: [`t${index % 2}`] })),
  )
  const parts: Quality[] = []
  for (let after: string | null = ''; after !== null; after = parts.at(-1)?.next_after ?? null) {
    parts.push(await quality(id, `limit=600&top=5${after && `&after=${after}`}`))
  }
  expect(parts.map(({ examined }) => examined)).toEqual([600, 600, 100])
  expect(parts.map((part) => part.never_retrieved.count)).toEqual([600, 600, 100])
  for (const part of parts) {
    expect(part.never_retrieved.passages).toHaveLength(5)
    expect(part.tags.map(({ count }) => count)).toEqual([part.examined / 2, part.examined / 2])
  }
  const gone = await server.request(
    'GET',
    `/v1/archives/${id}/quality?after=passage-00000000-0000-4000-8000-000000000000`,
  )
  expect([gone.status, gone.body.detail]).toEqual([400, expect.stringContaining('Use next_after of the part before')])
})
