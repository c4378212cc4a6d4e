import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { loadConfig, memoryLimitsOf } from '#config/config.ts'
import { DEFAULT_ORGANIZATION_ID } from '#platform/ids.ts'
import { statement } from '#store/db.ts'
import { type MemoryLimits, setMemoryLimits, setServerLimits } from '#store/limits/set-memory-limits.ts'
import { findBrokenInvariants } from '../support/database-state.ts'
import { multipartFile } from '../support/multipart.ts'
import { scriptedModel } from '../support/scripted-model.ts'
import { startTestServer, type TestServer } from '../support/test-server.ts'

const MODEL = 'openai/gpt-4o-mini'
const { registry, requests } = scriptedModel(({ messages }) => {
  const last = messages.at(-1)
  if (last?.role !== 'user') return { text: 'Done.' }
  return { toolCalls: [JSON.parse(last.content.map((part) => ('text' in part ? part.text : '')).join('')).call] }
})
const defaults = memoryLimitsOf(loadConfig({ env: {} }))

let server: TestServer
beforeAll(async () => {
  server = await startTestServer({ models: registry })
})
afterAll(async () => {
  expect(await findBrokenInvariants(server.context.db)).toEqual([])
  await server.close()
})
afterEach(() => limit(defaults))

const limit = (limits: Partial<MemoryLimits>) => setServerLimits(server.context.db, { ...defaults, ...limits })
const agentOf = async (over = {}) =>
  (await server.request<{ id: string }>('POST', '/v1/agents', { model: MODEL, ...over })).body.id
const archiveOf = async () => (await server.request<{ id: string }>('POST', '/v1/archives', { name: 'boats' })).body.id
const attach = (agentId: string, archiveId: string) =>
  server.request('PATCH', `/v1/agents/${agentId}/archives/attach/${archiveId}`)
const insert = (agentId: string, text: string) =>
  server.request('POST', `/v1/agents/${agentId}/archival-memory`, { text })
const insertMany = (archiveId: string, texts: string[]) =>
  server.request<{ id: string }[]>('POST', `/v1/archives/${archiveId}/passages/batch`, {
    passages: texts.map((text) => ({ text })),
  })
const passagesOf = async (agentId: string) =>
  (await server.request<{ id: string; text: string }[]>('GET', `/v1/agents/${agentId}/archival-memory?limit=1000`)).body
const measure = statement(
  'test-measure-archive',
  `select a.passage_count, a.passage_bytes, (select count(*) from passages as p where p.archive_id = a.id) as count,
     (select coalesce(sum(octet_length(p.text)), 0)::bigint from passages as p where p.archive_id = a.id) as bytes
   from archives as a where a.organization_id = $1 and a.id = $2`,
)
/** What the counters say, and what is there. */
async function countersOf(archiveId: string, organizationId = DEFAULT_ORGANIZATION_ID) {
  const [row] = await server.context.db.query<Record<string, number>>(measure, [organizationId, archiveId])
  return row ?? {}
}
async function toolCall(agentId: string, name: string, args: object): Promise<string> {
  const text = JSON.stringify({ call: { name, arguments: args } })
  const { status } = await server.request('POST', `/v1/agents/${agentId}/messages`, {
    messages: [{ role: 'user', content: text }],
  })
  expect(status).toBe(200)
  return JSON.stringify(requests.at(-1)?.messages.at(-1))
}

test('passages: of fifty at once as many are stored as there is room for, and the rest hear what to do', async () => {
  await limit({ archive_passages: 20 })
  const [one, two, archiveId] = [await agentOf(), await agentOf(), await archiveOf()]
  await attach(one, archiveId)
  await attach(two, archiveId)
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, index) => insert(index % 2 === 0 ? one : two, `boat ${index}`)),
  )
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(20)
  const refused = answers.filter(({ status }) => status !== 200)
  expect(refused).toHaveLength(30)
  for (const { status, body, headers } of refused) {
    expect([status, headers['x-should-retry']]).toEqual([400, 'false'])
    expect(body.detail).toMatch(
      /^The archive archive-\S+ can have 20 passages .* would have 21\. Delete some of them, or/,
    )
  }
  expect(await countersOf(archiveId)).toMatchObject({ passage_count: 20, count: 20 })
  // all or none
  expect((await insertMany(archiveId, ['another'])).status).toBe(400)
  const [first] = await passagesOf(one)
  await server.request('DELETE', `/v1/archives/${archiveId}/passages/${first?.id}`)
  expect((await insertMany(archiveId, ['red', 'blue'])).status).toBe(400)
  expect((await insertMany(archiveId, ['red'])).status).toBe(200)
})

test('passages: the tool hears it too, and nothing of its call is stored', async () => {
  await limit({ archive_passages: 1 })
  const agentId = await agentOf({ tools: ['archival_memory_insert'] })
  expect(await toolCall(agentId, 'archival_memory_insert', { content: 'The boat is red.' })).toContain('None')
  const told = await toolCall(agentId, 'archival_memory_insert', { content: 'The car is blue.' })
  expect(told).toMatch(
    /The change could not be stored: The archive archive-\S+ can have 1 passages .* Delete some of them/,
  )
  expect((await passagesOf(agentId)).map(({ text }) => text)).toEqual(['The boat is red.'])
})

test('size: the texts of an archive are counted as they come, change and go', async () => {
  await limit({ archive_bytes: 1_000 })
  const archiveId = await archiveOf()
  const stored = (await insertMany(archiveId, ['a'.repeat(400), 'ü'.repeat(200)])).body
  expect(await countersOf(archiveId)).toEqual({ passage_count: 2, count: 2, passage_bytes: 800, bytes: 800 })
  const { status, body } = await insertMany(archiveId, ['b'.repeat(150), 'c'.repeat(51)])
  expect([status, body]).toEqual([
    400,
    { detail: expect.stringMatching(/can have 1000 bytes of text .* would have 1001\. Delete passages, or/) },
  ])
  expect((await insertMany(archiveId, ['b'.repeat(200)])).status).toBe(200)
  const grown = await server.request('PATCH', `/v1/passages/${stored[0]?.id}`, { text: 'd'.repeat(401) })
  expect([grown.status, grown.body]).toEqual([
    400,
    { detail: expect.stringMatching(/can have 1000 bytes of text .* would have 1001\. Delete passages, or/) },
  ])
  const update = statement('test-update-passage', 'update passages set text = $2 where id = $1')
  await server.context.db.query(update, [stored[0]?.id, 'short'])
  expect(await countersOf(archiveId)).toMatchObject({ passage_bytes: 605, bytes: 605 })
  for (const { id } of stored) await server.request('DELETE', `/v1/archives/${archiveId}/passages/${id}`)
  expect(await countersOf(archiveId)).toEqual({ passage_count: 1, count: 1, passage_bytes: 200, bytes: 200 })
  expect((await server.request('DELETE', `/v1/archives/${archiveId}`)).status).toBe(204)
})

test('blocks: at creation, by attaching, all at once and by the tool', async () => {
  await limit({ agent_blocks: 3 })
  const block = (label: string) => ({ label, value: 'x' })
  const create = (count: number) =>
    server.request('POST', '/v1/agents', {
      model: MODEL,
      memory_blocks: Array.from({ length: count }, (_, index) => block(`b${index}`)),
    })
  expect((await create(3)).status).toBe(200)
  const refused = await create(4)
  expect([refused.status, refused.body.detail]).toEqual([
    400,
    expect.stringMatching(/^An agent can have 3 memory blocks .* Merge some, or keep notes in archival memory\.$/),
  ])
  const agentId = await agentOf({ memory_blocks: [block('b0')], tools: ['memory'] })
  const ids = await Promise.all(
    Array.from(
      { length: 12 },
      async (_, index) => (await server.request<{ id: string }>('POST', '/v1/blocks', block(`n${index}`))).body.id,
    ),
  )
  const answers = await Promise.all(
    ids.map((id) => server.request('PATCH', `/v1/agents/${agentId}/core-memory/blocks/attach/${id}`)),
  )
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(2)
  expect(answers.filter(({ status }) => status === 400)).toHaveLength(10)
  const args = { command: 'create', path: '/memories/more', description: 'more', file_text: 'x' }
  expect(await toolCall(agentId, 'memory', args)).toContain('An agent can have 3 memory blocks')
  const blocks = await server.request<object[]>('GET', `/v1/agents/${agentId}/core-memory/blocks`)
  expect(blocks.body).toHaveLength(3)
  // an exchange is no growth
  const changed = await server.request('PATCH', `/v1/agents/${agentId}`, { block_ids: ids.slice(0, 3) })
  expect(changed.status).toBe(200)
})

test('folders of an agent, and files of a folder', async () => {
  await limit({ agent_folders: 2, folder_files: 3 })
  const agentId = await agentOf()
  const folders = await Promise.all(
    Array.from(
      { length: 6 },
      async (_, index) =>
        (await server.request<{ id: string }>('POST', '/v1/folders', { name: `folder ${index}` })).body.id,
    ),
  )
  const attached = await Promise.all(
    folders.map((id) => server.request('PATCH', `/v1/agents/${agentId}/folders/attach/${id}`)),
  )
  expect(attached.filter(({ status }) => status === 200)).toHaveLength(2)
  expect(attached.find(({ status }) => status !== 200)).toMatchObject({
    status: 400,
    body: {
      detail: expect.stringMatching(/^An agent can have 2 folders .* Detach one, or put the files into one folder/),
    },
  })
  const upload = (name: string) => {
    const form = multipartFile(name, 'some text')
    return server.request('POST', `/v1/folders/${folders[0]}/upload`, form.payload, form.headers)
  }
  const uploaded = await Promise.all(Array.from({ length: 8 }, (_, index) => upload(`f${index}.txt`)))
  expect(uploaded.filter(({ status }) => status === 200)).toHaveLength(3)
  expect(uploaded.find(({ status }) => status !== 200)).toMatchObject({
    status: 400,
    body: { detail: expect.stringMatching(/^A folder can have 3 files .* Delete some, or upload to another folder/) },
  })
})

test('an organisation has limits of its own before those of the server; 0 is none', async () => {
  await limit({ archive_passages: 2 })
  const { organizationId, headers } = await server.addOrganization()
  const create = async (own: Record<string, string>) => {
    const { body } = await server.request<{ id: string }>('POST', '/v1/archives', { name: 'theirs' }, own)
    return (count: number) =>
      server.request(
        'POST',
        `/v1/archives/${body.id}/passages/batch`,
        {
          passages: Array.from({ length: count }, (_, index) => ({ text: `passage ${crypto.randomUUID()} ${index}` })),
        },
        own,
      )
  }
  const [ours, theirs] = [await create({}), await create(headers)]
  expect([(await ours(3)).status, (await theirs(3)).status]).toEqual([400, 400])
  await setMemoryLimits(server.context.db, organizationId, { archive_passages: 3 })
  expect([(await ours(3)).status, (await theirs(3)).status, (await theirs(1)).status]).toEqual([400, 200, 400])
  await setMemoryLimits(server.context.db, organizationId, { archive_passages: 0 })
  expect((await theirs(30)).status).toBe(200)
})

test('two agents on one archive write and read at once: each finds what the other one stored', async () => {
  const archiveId = await archiveOf()
  const agents = [await agentOf(), await agentOf()] as const
  for (const agentId of agents) await attach(agentId, archiveId)
  const search = async (agentId: string, query: string) =>
    (
      await server.request<{ results: { content: string }[] }>(
        'GET',
        `/v1/agents/${agentId}/archival-memory/search?query=${encodeURIComponent(query)}&top_k=3`,
      )
    ).body.results.map(({ content }) => content)
  await Promise.all(
    agents.map(async (agentId, own) => {
      for (let index = 0; index < 25; index += 1) {
        const text = `Harbour ${own} noted vessel number ${index}.`
        expect((await insert(agentId, text)).status).toBe(200)
        // what one has stored, the other one finds at once
        expect(await search(agents[1 - own] ?? '', `"Harbour ${own}" "number ${index}"`)).toContain(text)
      }
    }),
  )
  const [one, two] = await Promise.all(agents.map(passagesOf))
  expect(one).toHaveLength(50)
  expect(two).toEqual(one)
  expect(await countersOf(archiveId)).toMatchObject({ passage_count: 50, count: 50 })
  await server.request('PATCH', `/v1/agents/${agents[1]}/archives/detach/${archiveId}`)
  expect(await passagesOf(agents[1])).toEqual([])
  expect(await search(agents[1], 'Harbour')).toEqual([])
  expect(await passagesOf(agents[0])).toHaveLength(50)
})
