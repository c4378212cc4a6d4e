import { afterAll, beforeAll, expect, test } from 'vitest'
import { findBrokenInvariants } from '../support/database-state.ts'
import { importForm } from '../support/import-form.ts'
import { scriptedModel } from '../support/scripted-model.ts'
import { startTestServer, type TestServer } from '../support/test-server.ts'

const MODEL = 'openai/gpt-4o-mini'
const MAX_BODY_BYTES = 1_000_000
const { registry } = scriptedModel(() => ({ text: 'I am here.' }))

let server: TestServer
beforeAll(async () => {
  server = await startTestServer({ models: registry, config: { maxBodyBytes: MAX_BODY_BYTES } })
})
afterAll(async () => {
  expect(await findBrokenInvariants(server.context.db)).toEqual([])
  await server.close()
})

interface Passage {
  id: string
  archive_id: string
  text: string
  tags: string[]
  metadata: Record<string, unknown>
  created_at: string
}
interface Archive {
  id: string
  name: string
  description: string | null
  embedding: string | null
  passages: Omit<Passage, 'id' | 'archive_id'>[]
}
interface AgentFile {
  agents: { archive_ids: string[] }[]
  archives: Archive[]
}

const newAgent = async () =>
  (await server.request<{ id: string }>('POST', '/v1/agents', { model: MODEL, include_base_tools: false })).body.id
async function archiveFor(agentId: string, passages: object[], over = {}): Promise<string> {
  const archive = { name: 'boats', description: 'All of them', ...over }
  const { id } = (await server.request<{ id: string }>('POST', '/v1/archives', archive)).body
  await server.request('PATCH', `/v1/agents/${agentId}/archives/attach/${id}`)
  for (let at = 0; at < passages.length; at += 500) {
    const some = passages.slice(at, at + 500)
    const { status } = await server.request('POST', `/v1/archives/${id}/passages/batch`, { passages: some })
    expect(status).toBe(200)
  }
  return id
}
async function passagesOf(agentId: string): Promise<Passage[]> {
  const all: Passage[] = []
  for (;;) {
    const after = all.at(-1)
    const cursor = after === undefined ? '' : `&after=${after.id}`
    const path = `/v1/agents/${agentId}/archival-memory?limit=1000&ascending=true${cursor}`
    const { body } = await server.request<Passage[]>('GET', path)
    all.push(...body)
    if (body.length < 1000) return all
  }
}
const without = (passages: readonly Passage[]) =>
  passages.map(({ text, tags, metadata, created_at }) => ({ text, tags, metadata, created_at }))
const exported = (agentId: string, query = '') => server.request<string>('GET', `/v1/agents/${agentId}/export?${query}`)
const fileOf = async (agentId: string, query = ''): Promise<AgentFile> =>
  JSON.parse((await exported(agentId, query)).body)
async function load(file: object, fields = {}) {
  const { body, headers } = importForm(file, fields)
  return server.request<{ agent_ids: string[]; not_imported: string[]; detail: string }>(
    'POST',
    '/v1/agents/import',
    body,
    headers,
  )
}

const passage = (index: number) => ({
  text: `Boat ${index} is ${index % 2 === 0 ? 'red' : 'blue'}.`,
  tags: [`n${index % 3}`, 'boat'],
  metadata: { page: index },
  // several in a moment, and out of order
  created_at: new Date(Date.UTC(2025, 0, 1) + Math.floor((index * 7) % 1_200) * 1_000).toISOString(),
})
const file = (over: object = {}, agentOver: object = {}) => ({
  agents: [
    { id: 'agent-0', name: 'Ada', model: MODEL, include_base_tools: false, archive_ids: ['archive-0'], ...agentOver },
  ],
  blocks: [],
  tools: [],
  archives: [{ id: 'archive-0', name: 'boats', passages: [{ text: 'One boat.' }, { text: 'Two boats.' }] }],
  ...over,
})

test('an archive goes out and comes back, passage by passage', async () => {
  const agentId = await newAgent()
  const archiveId = await archiveFor(
    agentId,
    Array.from({ length: 1_234 }, (_, index) => passage(index)),
  )
  const before = await passagesOf(agentId)
  expect(before).toHaveLength(1_234)

  const out = await fileOf(agentId)
  expect(out.agents[0]?.archive_ids).toEqual(['archive-0'])
  expect(out.archives).toMatchObject([{ id: 'archive-0', name: 'boats', description: 'All of them' }])
  expect(out.archives[0]?.passages).toEqual(without(before))
  expect(JSON.stringify(out)).not.toContain(archiveId)
  expect(JSON.stringify(out)).not.toContain(before[0]?.id)

  const { status, body } = await load(out)
  expect([status, body.not_imported]).toEqual([200, []])
  const copy = body.agent_ids[0] ?? ''
  const after = await passagesOf(copy)
  expect(without(after)).toEqual(without(before))
  const ids = new Set(before.map(({ id }) => id))
  expect(after.filter(({ id, archive_id }) => ids.has(id) || archive_id === archiveId)).toEqual([])
  const found = await server.request<{ results: { tags: string[] }[] }>(
    'GET',
    `/v1/agents/${copy}/archival-memory/search?query=boat+77&tags=n2&top_k=3`,
  )
  expect(found.body.results[0]).toMatchObject({ content: 'Boat 77 is blue.' })
  // and once more
  expect((await fileOf(copy)).archives[0]?.passages).toEqual(out.archives[0]?.passages)
})

test('an agent without an archive has none in its file, and gets none', async () => {
  const out = await fileOf(await newAgent())
  expect([out.archives, out.agents[0]?.archive_ids]).toEqual([undefined, undefined])
  const { body } = await load(out)
  expect(await passagesOf(body.agent_ids[0] ?? '')).toEqual([])
})

test('it can be left out, on both ways', async () => {
  const agentId = await newAgent()
  await archiveFor(agentId, [passage(1)])
  const out = await fileOf(agentId, 'scrub_archives=true')
  expect([out.archives, out.agents[0]?.archive_ids]).toEqual([undefined, undefined])
  const posted = await server.request<string>('POST', `/v1/agents/${agentId}/export`, { scrub_archives: true })
  expect(JSON.parse(posted.body).archives).toBeUndefined()
  const { status, body } = await load(await fileOf(agentId), { strip_archives: 'true' })
  expect([status, body.not_imported]).toEqual([200, []])
  expect(await passagesOf(body.agent_ids[0] ?? '')).toEqual([])
})

test('agents that share an archive share the new one', async () => {
  const { agents, ...rest } = file()
  const { status, body } = await load({ ...rest, agents: [...agents, { ...agents[0], id: 'agent-1', name: 'Bob' }] })
  expect(status).toBe(200)
  const [one = [], two = []] = await Promise.all(body.agent_ids.map(passagesOf))
  expect(one.map(({ text }) => text)).toEqual(['One boat.', 'Two boats.'])
  expect(two).toEqual(one)
})

test('files of before, which know no archives, are taken as they were', async () => {
  const { archives: _, agents, ...rest } = file({}, { archive_ids: undefined })
  for (const old of [
    { ...rest, agents },
    { ...rest, agents, archives: null },
  ]) {
    const { status, body } = await load(old)
    expect([status, body.not_imported]).toEqual([200, []])
    expect(await passagesOf(body.agent_ids[0] ?? '')).toEqual([])
  }
})

test('more than a file may carry is said, with what to do', async () => {
  const agentId = await newAgent()
  await archiveFor(
    agentId,
    Array.from({ length: 30 }, (_, index) => ({ text: `${index} ${'x'.repeat(20_000)}` })),
  )
  const { status, body } = await server.request('GET', `/v1/agents/${agentId}/export`)
  expect(status).toBe(422)
  expect(body.detail).toMatch(
    /has more than 0\.5 MiB .* Export without it \(scrub_archives=true\), and move its passages/,
  )
  expect((await exported(agentId, 'scrub_archives=true')).status).toBe(200)
})

test.each([
  [
    'an archive that is not there',
    {},
    { archive_ids: ['archive-7'] },
    /agents\[0\]\.archive_ids\[0\]: 'archive-7' is not among the archives/,
  ],
  [
    'two archives of one agent',
    {},
    { archive_ids: ['archive-0', 'archive-0'] },
    /agents\[0\]\.archive_ids must NOT have more than 1 items/,
  ],
  [
    'an id of another kind',
    { archives: [{ id: 'block-0', name: 'x' }] },
    {},
    /archives\[0\]\.id must look like 'archive-0'/,
  ],
  [
    'no name',
    { archives: [{ id: 'archive-0', name: ' ' }] },
    {},
    /archives\[0\]: The name of an archive must not be empty/,
  ],
  [
    'a time that is none',
    { archives: [{ id: 'archive-0', name: 'x', passages: [{ text: 'a', created_at: 'soon' }] }] },
    {},
    /archives\[0\]\.passages\[0\]\.created_at is no time: "soon"/,
  ],
  [
    'a passage that is too long',
    { archives: [{ id: 'archive-0', name: 'x', passages: [{ text: 'a'.repeat(40_000) }] }] },
    {},
    /archives\[0\]\.passages\[0…0\]: The text has about 10000 tokens/,
  ],
  [
    'a passage without text',
    { archives: [{ id: 'archive-0', name: 'x', passages: [{ tags: [] }] }] },
    {},
    /archives\[0\]\.passages\[0\] must have required property 'text'/,
  ],
])('%s is refused with its place, and nothing is made', async (_what, over, agentOver, problem) => {
  const count = async () => (await server.request<object[]>('GET', '/v1/archives?limit=1000')).body.length
  const before = await count()
  const { status, body } = await load(file(over, agentOver))
  expect([status, body.detail]).toEqual([400, expect.stringMatching(problem)])
  expect(await count()).toBe(before)
})
