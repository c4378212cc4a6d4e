import { afterAll, beforeAll, describe, expect, it, test } from 'vitest'
import { openDatabase } from '#store/open-database.ts'
import { ensurePartitions } from '#store/partitions.ts'
import { findBrokenInvariants } from '../support/database-state.ts'
import { scriptedModel } from '../support/scripted-model.ts'
import { createTestAgent } from '../support/test-agent.ts'
import { createPostgresDatabase, testEngine } from '../support/test-database.ts'
import { startTestServer, type TestServer } from '../support/test-server.ts'

interface Passage {
  id: string
  text: string
  tags: string[]
  metadata: Record<string, unknown>
  is_duplicate?: true
}

/** The last word of the user is what the agent remembers, once for each part between bars. */
const model = scriptedModel(({ messages }) => {
  const said = messages.findLast((message) => message.role === 'user')
  const text = said?.role === 'user' ? said.content.map((part) => (part.type === 'text' ? part.text : '')).join('') : ''
  if (messages.at(-1)?.role === 'tool') return { text: 'Noted.' }
  const toolCalls = text
    .split('|')
    .map((content) => ({ name: 'archival_memory_insert', arguments: { content, tags: ['said'] } }))
  return { toolCalls }
})

let server: TestServer
beforeAll(async () => {
  server = await startTestServer({ models: model.registry })
})
afterAll(async () => {
  expect(await findBrokenInvariants(server.context.db)).toEqual([])
  await server.close()
})

const newAgent = (on = server) =>
  createTestAgent(on.context.db, on.context.models, { tools: ['archival_memory_insert'] })
const newArchive = async () =>
  (await server.request<{ id: string }>('POST', '/v1/archives/', { name: 'Facts' })).body.id
const remember = async (agentId: string, body: object, on = server) => {
  const answer = await on.request<Passage[]>('POST', `/v1/agents/${agentId}/archival-memory`, body)
  expect(answer.status, JSON.stringify(answer.body)).toBe(200)
  const [passage] = answer.body
  if (passage === undefined || answer.body.length !== 1) throw new Error('the answer is no list of one')
  return passage
}
const list = async (agentId: string, on = server) =>
  (await on.request<Passage[]>('GET', `/v1/agents/${agentId}/archival-memory`)).body
const returns = async (agentId: string, input: string) => {
  const { body } = await server.request<{
    messages: { message_type: string; tool_returns?: { tool_return: string }[] }[]
  }>('POST', `/v1/agents/${agentId}/messages`, { input })
  return body.messages.flatMap((message) => message.tool_returns ?? []).map((given) => given.tool_return)
}
const FIFTY = Array.from({ length: 50 }, (_, index) => index)

describe('what is there already is not stored twice', () => {
  it("in an agent's archival memory: the passage that is there comes back, with the tags of both", async () => {
    const agentId = await newAgent()
    const first = await remember(agentId, { text: 'The user’s favourite colour is blue.', tags: ['a', 'b'] })
    expect(first).not.toHaveProperty('is_duplicate')
    const again = await remember(agentId, { text: "user's favorite color: BLUE", tags: ['b', 'c', 'c'] })
    expect(again).toMatchObject({
      id: first.id,
      text: first.text,
      tags: ['a', 'b', 'c'],
      is_duplicate: true,
    })
    const other = await remember(agentId, { text: "The user's favourite colour is green." })
    expect(other.is_duplicate).toBeUndefined()
    expect((await list(agentId)).map(({ id, tags }) => [id, tags])).toEqual([
      [first.id, ['a', 'b', 'c']],
      [other.id, []],
    ])
  })

  it('but in another archive, when it was deleted, and when it is asked for', async () => {
    const agentId = await newAgent()
    const first = await remember(agentId, { text: 'Bob likes tea' })
    expect((await remember(await newAgent(), { text: 'Bob likes tea' })).is_duplicate).toBeUndefined()
    const insisted = await remember(agentId, { text: 'Bob likes tea', allow_duplicate: true })
    expect(insisted.is_duplicate).toBeUndefined()
    expect(insisted.id).not.toBe(first.id)
    expect(await remember(agentId, { text: 'Bob likes tea', allow_duplicate: false })).toMatchObject({ id: first.id })
    await server.request('DELETE', `/v1/agents/${agentId}/archival-memory/${first.id}`)
    expect((await remember(agentId, { text: 'Bob likes tea' })).is_duplicate).toBeUndefined()
    expect(await list(agentId)).toHaveLength(2)
  })

  it('in an archive, one and many, also within one request', async () => {
    const archiveId = await newArchive()
    const one = (body: object) => server.request<Passage>('POST', `/v1/archives/${archiveId}/passages`, body)
    const { body: first } = await one({ text: 'Ada sails', metadata: { page: 1 } })
    expect(first.is_duplicate).toBeUndefined()
    expect((await one({ text: 'ada sails!', metadata: { page: 2 } })).body).toMatchObject({
      id: first.id,
      metadata: { page: 1 },
      is_duplicate: true,
    })
    const passages = [
      { text: 'Bob rows', tags: ['x'] },
      { text: 'Ada sails.', tags: ['y'] },
      { text: 'BOB ROWS', tags: ['z'] },
      { text: 'Bob rows', allow_duplicate: true },
      { text: 'Bob rows', allow_duplicate: true },
      { text: 'Cleo swims' },
    ]
    const many = await server.request<Passage[]>('POST', `/v1/archives/${archiveId}/passages/batch`, { passages })
    const [bob, ada, bobAgain, bobTwo, bobThree, cleo] = many.body
    expect(many.body.map((passage) => passage.is_duplicate === true)).toEqual([false, true, true, false, false, false])
    expect(ada).toMatchObject({ id: first.id, tags: ['y'] })
    expect(bob).toMatchObject({ text: 'Bob rows', tags: ['x', 'z'] })
    expect(bobAgain).toMatchObject({ id: bob?.id, tags: ['x', 'z'] })
    expect(new Set([bob?.id, bobTwo?.id, bobThree?.id, cleo?.id]).size).toBe(4)
    const found = await server.request<unknown[]>('POST', '/v1/passages/search', { archive_id: archiveId })
    expect(found.body).toHaveLength(5)
  })

  it('by an agent, which is told so', async () => {
    const agentId = await newAgent()
    expect(await returns(agentId, 'Bob has three cats')).toEqual(['None'])
    const [cats] = await list(agentId)
    expect(await returns(agentId, 'bob has 3 cats.|Bob has 4 cats|BOB HAS 4 CATS|Bob has 4 cats!')).toEqual([
      'Your archival memory says this already, so it was not stored twice: Bob has three cats',
      'None',
      'Your archival memory says this already, so it was not stored twice: Bob has 4 cats',
      'Your archival memory says this already, so it was not stored twice: Bob has 4 cats',
    ])
    const ran = await server.request<{ tool_return: string }>(
      'POST',
      `/v1/agents/${agentId}/tools/archival_memory_insert/run`,
      { args: { content: 'Bob has 3 cats', tags: ['pets'] } },
    )
    expect(JSON.stringify(ran.body)).toContain('not stored twice: Bob has three cats\\nTags added to it: pets.')
    expect((await list(agentId)).map(({ id, text, tags }) => [id === cats?.id, text, tags])).toEqual([
      [true, 'Bob has three cats', ['said', 'pets']],
      [false, 'Bob has 4 cats', ['said']],
    ])
  })
})

describe('fifty at once', () => {
  it('are one passage in a new archive, whatever the case and the blanks', async () => {
    const agentId = await newAgent()
    const stored = await Promise.all(
      FIFTY.map((n) =>
        remember(agentId, { text: n % 2 ? 'The boat is blue.' : ' the BOAT  is blue', tags: [`t${n}`] }),
      ),
    )
    expect(new Set(stored.map(({ id }) => id)).size).toBe(1)
    expect(stored.filter(({ is_duplicate }) => !is_duplicate)).toHaveLength(1)
    const [passage, ...rest] = await list(agentId)
    expect(rest).toEqual([])
    expect([...(passage?.tags ?? [])].sort()).toEqual(FIFTY.map((n) => `t${n}`).sort())
  })

  it('are one passage when as many agents of one archive are told at once, in runs', async () => {
    const archiveId = await newArchive()
    const agentIds = await Promise.all(Array.from({ length: 20 }, () => newAgent()))
    for (const id of agentIds) await server.request('PATCH', `/v1/agents/${id}/archives/attach/${archiveId}`)
    const told = await Promise.all(
      agentIds.map((id, n) => returns(id, n % 2 ? 'Cleo swims|Nils sails' : 'nils sails.|CLEO swims')),
    )
    expect(told.flat().filter((text) => text !== 'None' && !text.startsWith('Your archival memory says this'))).toEqual(
      [],
    )
    const texts = (await list(agentIds[0] ?? '')).map(({ text }) => text.toLowerCase().replace('.', ''))
    expect(texts.sort()).toEqual(['cleo swims', 'nils sails'])
  })

  it('lists with the same facts in any order wait for each other, and not in a circle', async () => {
    const archiveId = await newArchive()
    const facts = FIFTY.map((n) => ({ text: `Fact ${n}` }))
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, n) => {
        const passages = n % 2 ? facts : facts.toReversed()
        return server.request<Passage[]>('POST', `/v1/archives/${archiveId}/passages/batch`, { passages })
      }),
    )
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200))
    expect(new Set(answers.flatMap(({ body }) => body.map(({ id }) => id))).size).toBe(50)
    expect(answers.flatMap(({ body }) => body.filter(({ is_duplicate }) => !is_duplicate))).toHaveLength(50)
  })
})

test.runIf(testEngine() === 'postgres')(
  'fifty at once through two replicas, and two agents of one archive, are one passage',
  async () => {
    const database = await createPostgresDatabase()
    const open = () => openDatabase({ kind: 'postgres', url: database.url, poolSize: 8 })
    const [one, other] = [await open(), await open()]
    await ensurePartitions(one, new Date())
    const replicas = await Promise.all([one, other].map((db) => startTestServer({ db, models: model.registry })))
    const [first] = replicas
    if (first === undefined) throw new Error('no replica')
    try {
      const agentIds = [await newAgent(first), await newAgent(first)]
      const [writer, reader] = agentIds as [string, string]
      const { id: archiveId } = (await first.request<{ id: string }>('POST', '/v1/archives/', { name: 'shared' })).body
      for (const id of agentIds) await first.request('PATCH', `/v1/agents/${id}/archives/attach/${archiveId}`)
      const stored = await Promise.all(
        FIFTY.map(async (n) => {
          const replica = replicas[n % 2] ?? first
          const text = `Nils sails${n % 3 ? '' : '!'}`
          switch (n % 4) {
            case 0:
              return (await replica.request<Passage>('POST', `/v1/archives/${archiveId}/passages`, { text })).body.id
            case 1: {
              const passages = [{ text }, { text: 'Ada rows' }]
              const { body } = await replica.request<Passage[]>('POST', `/v1/archives/${archiveId}/passages/batch`, {
                passages,
              })
              return body[0]?.id
            }
            case 2:
              await replica.request(
                'POST',
                `/v1/agents/${n % 8 === 2 ? writer : reader}/tools/archival_memory_insert/run`,
                {
                  args: { content: text },
                },
              )
              return undefined
            default:
              return (await remember(reader, { text }, replica)).id
          }
        }),
      )
      const passages = await list(writer, first)
      expect(passages.map(({ text }) => text.replace('!', '')).sort()).toEqual(['Ada rows', 'Nils sails'])
      const nils = passages.find(({ text }) => text.startsWith('Nils'))?.id
      expect(new Set(stored.filter((id) => id !== undefined))).toEqual(new Set([nils]))
      expect(await findBrokenInvariants(one)).toEqual([])
    } finally {
      for (const replica of replicas) await replica.close()
      for (const db of [one, other]) await db[Symbol.asyncDispose]()
      await database.remove()
    }
  },
)

test('archives that held duplicates before keep them, and old passages can be written again once', async () => {
  const agentId = await newAgent()
  const { db } = server.context
  const one = await remember(agentId, { text: 'Old fact' })
  await remember(agentId, { text: 'Old fact', allow_duplicate: true })
  // as rows look that were there before there were keys
  await db.execute(`update passages set fact_key = null, author_type = null, author_id = null where id = '${one.id}'`)
  expect((await remember(agentId, { text: 'Old fact' })).is_duplicate).toBeUndefined()
  expect((await remember(agentId, { text: 'Old fact' })).is_duplicate).toBe(true)
  expect(await list(agentId)).toHaveLength(3)
})
