import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DEFAULT_USER_ID, newId } from '#platform/ids.ts'
import { findBrokenInvariants } from '../support/database-state.ts'
import { scriptedModel } from '../support/scripted-model.ts'
import { createTestAgent } from '../support/test-agent.ts'
import { startTestServer, type TestServer } from '../support/test-server.ts'

interface Version {
  version: number
  author: { type: string; id: string | null; run_id: string | null; tool_name: string | null }
  created_at: string
  size_bytes: number
  [field: string]: unknown
}
interface Thing {
  id: string
  [field: string]: unknown
}

const model = scriptedModel(({ messages }) =>
  messages.at(-1)?.role === 'tool'
    ? { text: 'Done.' }
    : {
        toolCalls: [
          { name: 'memory_insert', arguments: { label: 'human', new_string: 'by the agent' } },
          { name: 'archival_memory_insert', arguments: { content: 'Nils sails' } },
        ],
      },
)

let server: TestServer
let foreign: { headers: Record<string, string> }
beforeAll(async () => {
  server = await startTestServer({ models: model.registry })
  foreign = await server.addOrganization()
})
afterAll(async () => {
  expect(await findBrokenInvariants(server.context.db)).toEqual([])
  await server.close()
})

const get = async <Body>(url: string): Promise<Body> => {
  const { status, body } = await server.request<Body>('GET', url)
  expect(status, JSON.stringify(body)).toBe(200)
  return body
}
const send = (method: 'POST' | 'PATCH', url: string, body: object) => server.request<Thing>(method, url, body)
const ok = async (method: 'POST' | 'PATCH', url: string, body: object): Promise<Thing> => {
  const { status, body: thing } = await send(method, url, body)
  expect(status, JSON.stringify(thing)).toBe(200)
  return thing
}
const numbers = async (url: string) => (await get<Version[]>(url)).map(({ version }) => version)
const byUser = { type: 'user', id: DEFAULT_USER_ID, run_id: null, tool_name: null }

describe.each(['blocks', 'passages'] as const)('versions of %s', (kind) => {
  const field = kind === 'blocks' ? 'value' : 'text'
  const newThing = async (text: string): Promise<Thing> => {
    if (kind === 'blocks') return ok('POST', '/v1/blocks/', { label: 'notes', value: text })
    const { id } = (await server.request<{ id: string }>('POST', '/v1/archives/', { name: 'a' })).body
    return ok('POST', `/v1/archives/${id}/passages`, { text, tags: ['t'], metadata: { page: 1 } })
  }
  const edit = (thing: Thing, text: string, more: object = {}) =>
    ok('PATCH', `/v1/${kind}/${thing.id}`, { [field]: text, ...more })
  const versions = (thing: Thing) => `/v1/${kind}/${thing.id}/versions`

  it('are listed with their authors, in pages', async () => {
    const thing = await newThing('one')
    for (const text of ['two', 'three', 'vier ä']) await edit(thing, text)
    const list = await get<Version[]>(versions(thing))
    expect(list.map(({ version, size_bytes }) => [version, size_bytes])).toEqual([
      [4, 7],
      [3, 5],
      [2, 3],
      [1, 3],
    ])
    expect(list.map(({ author }) => author)).toEqual([byUser, byUser, byUser, byUser])
    expect(list.every((row) => row[field] === undefined)).toBe(true)
    const times = list.map(({ created_at }) => created_at)
    expect(times).toEqual(times.toSorted().reverse())
    for (const [query, expected] of [
      ['limit=2', [4, 3]],
      ['limit=2&after=3', [2, 1]],
      ['limit=1&before=2', [3]],
      ['order=asc', [1, 2, 3, 4]],
      ['order=asc&after=2', [3, 4]],
      ['order=asc&before=4&limit=2', [2, 3]],
      ['order=asc&after=1&before=4', [2, 3]],
      ['limit=100000', [4, 3, 2, 1]],
      ['after=1', []],
    ] as const) {
      expect(await numbers(`${versions(thing)}?${query}`), query).toEqual(expected)
    }
    expect((await server.request('GET', `${versions(thing)}?after=0`)).status).toBe(422)
  })

  it('are retrieved and compared', async () => {
    const thing = await newThing('a\nb\nc')
    await edit(thing, 'a\nB\nc')
    await edit(thing, 'a\nB\nc\nd')
    expect(await get(`${versions(thing)}/1`)).toMatchObject({ version: 1, [field]: 'a\nb\nc', author: byUser })
    expect(await get(`${versions(thing)}/3`)).toMatchObject({ version: 3, [field]: 'a\nB\nc\nd' })
    const second = await get<{ diff: string; from: Version; to: Version }>(`${versions(thing)}/2/diff`)
    expect(second).toMatchObject({ from: { version: 1 }, to: { version: 2 } })
    expect(second.diff).toContain('--- version 1\n+++ version 2\n')
    expect(second.diff).toContain('-b\n+B\n')
    const whole = await get<{ diff: string }>(`${versions(thing)}/3/diff?from=1`)
    expect(whole.diff).toContain('-b\n')
    expect(whole.diff).toContain('+d\n')
    const back = await get<{ diff: string; from: Version }>(`${versions(thing)}/1/diff?from=3`)
    expect(back).toMatchObject({ from: { version: 3 } })
    expect(back.diff).toContain('+b\n')
    const first = await get<{ diff: string; from: null }>(`${versions(thing)}/1/diff`)
    expect(first.from).toBeNull()
    expect(first.diff).toContain('--- /dev/null\n')
    expect(first.diff).toContain('+a\n+b\n+c\n')
    expect(await get(`${versions(thing)}/2/diff?from=2`)).toMatchObject({ diff: '' })
  })

  it('are restored as a new version, and nothing where nothing would change', async () => {
    const thing = await newThing('one')
    await edit(thing, 'two')
    const restored = await ok('POST', `${versions(thing)}/1/restore`, {})
    expect(restored).toMatchObject({ id: thing.id, [field]: 'one' })
    expect(await get(`/v1/${kind}/${thing.id}`)).toMatchObject(restored)
    expect(await numbers(versions(thing))).toEqual([3, 2, 1])
    // without a body too
    const { status, body } = await server.request('POST', `${versions(thing)}/3/restore`)
    expect([status, body]).toEqual([200, restored])
    expect(await numbers(versions(thing))).toEqual([3, 2, 1])
    expect((await get<{ diff: string }>(`${versions(thing)}/3/diff`)).diff).toContain('-two\n')
  })

  it('a change for another version is a 409 that says what to do, and changes nothing', async () => {
    const thing = await newThing('one')
    await edit(thing, 'two', { expected_version: 1 })
    for (const [method, url, body] of [
      ['PATCH', `/v1/${kind}/${thing.id}`, { [field]: 'mine', expected_version: 1 }],
      ['POST', `${versions(thing)}/1/restore`, { expected_version: 1 }],
    ] as const) {
      const { status, body: answer, headers } = await send(method, url, body)
      expect(status).toBe(409)
      expect(answer.detail).toContain('is at version 2, and the change was made for version 1: nothing was changed.')
      expect(headers['x-should-retry']).toBe('false')
    }
    expect(await get(`/v1/${kind}/${thing.id}`)).toMatchObject({ [field]: 'two' })
    await ok('POST', `${versions(thing)}/1/restore`, { expected_version: 2 })
    expect(await numbers(versions(thing))).toEqual([3, 2, 1])
  })

  it('of twenty changes for one version one is made', async () => {
    const thing = await newThing('start')
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, n) =>
        send('PATCH', `/v1/${kind}/${thing.id}`, { [field]: `number ${n}`, expected_version: 1 }),
      ),
    )
    expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array.from({ length: 19 }, () => 409)])
    expect(await numbers(versions(thing))).toEqual([2, 1])
  })

  it('of twenty changes without one all are made, one after the other', async () => {
    const thing = await newThing('start')
    await Promise.all(Array.from({ length: 20 }, (_, n) => edit(thing, `number ${n}`)))
    const list = await get<Version[]>(`${versions(thing)}?order=asc`)
    expect(list.map(({ version }) => version)).toEqual(Array.from({ length: 21 }, (_, n) => n + 1))
    const texts = await Promise.all(list.map(({ version }) => get<Version>(`${versions(thing)}/${version}`)))
    expect(new Set(texts.map((row) => row[field])).size).toBe(21)
  })

  it('of what is not there, of others, and of what was deleted are a 404', async () => {
    const thing = await newThing('one')
    const unknown = newId(kind === 'blocks' ? 'block' : 'passage')
    const paths = (id: string, version: number): ['GET' | 'POST', string][] => [
      ['GET', `/v1/${kind}/${id}/versions/${version}`],
      ['GET', `/v1/${kind}/${id}/versions/${version}/diff`],
      ['POST', `/v1/${kind}/${id}/versions/${version}/restore`],
    ]
    const missing = [...paths(thing.id, 2), ...paths(unknown, 1), ['GET', `/v1/${kind}/${unknown}/versions`]] as const
    for (const [method, url] of missing) expect((await server.request(method, url)).status, url).toBe(404)
    const from = await server.request('GET', `${versions(thing)}/1/diff?from=7`)
    expect([from.status, JSON.stringify(from.body)]).toEqual([404, expect.stringContaining('no version 7')])
    for (const [method, url] of [...paths(thing.id, 1), ['GET', versions(thing)] as const]) {
      expect((await server.request(method, url, undefined, foreign.headers)).status, url).toBe(404)
    }
    await edit(thing, 'two')
    await server.request(
      'DELETE',
      kind === 'blocks' ? `/v1/blocks/${thing.id}` : `/v1/archives/${thing.archive_id}/passages/${thing.id}`,
    )
    for (const [method, url] of paths(thing.id, 1)) expect((await server.request(method, url)).status, url).toBe(404)
  })

  it('of an agent name its run and tool', async () => {
    const tools = ['memory_insert', 'archival_memory_insert']
    const agentId = await createTestAgent(server.context.db, server.context.models, { tools })
    await server.request('POST', `/v1/agents/${agentId}/messages`, { input: 'Remember.' })
    const [run] = await get<{ id: string }[]>(`/v1/runs/?agent_id=${agentId}`)
    const [passage] = await get<Thing[]>(`/v1/agents/${agentId}/archival-memory`)
    const block = await get<Thing>(`/v1/agents/${agentId}/core-memory/blocks/human`)
    const thing = kind === 'blocks' ? block : passage
    if (thing === undefined) throw new Error('the agent remembered nothing')
    const tool_name = kind === 'blocks' ? 'memory_insert' : 'archival_memory_insert'
    const [newest] = await get<Version[]>(versions(thing))
    expect(newest?.author).toEqual({ type: 'agent', id: agentId, run_id: run?.id, tool_name })
    await edit(thing, 'by a person')
    expect((await get<Version[]>(versions(thing))).map(({ author }) => author.type).slice(0, 2)).toEqual([
      'user',
      'agent',
    ])
    await server.request('POST', `/v1/agents/${agentId}/tools/${tool_name}/run`, {
      args: kind === 'blocks' ? { label: 'human', new_string: 'by hand' } : { content: 'by hand' },
    })
    const byHand = { ...byUser, tool_name }
    const [made] =
      kind === 'blocks'
        ? [thing]
        : (await get<Thing[]>(`/v1/agents/${agentId}/archival-memory`)).filter(({ text }) => text === 'by hand')
    if (made === undefined) throw new Error('the tool wrote nothing')
    expect((await get<Version[]>(versions(made)))[0]?.author).toEqual(byHand)
  })
})

describe('blocks', () => {
  it('come back with their label and description, within their limit, and are only read by agents where they are read-only', async () => {
    const block = await ok('POST', '/v1/blocks/', { label: 'old', value: 'x'.repeat(50), description: 'first' })
    await ok('PATCH', `/v1/blocks/${block.id}`, {
      label: 'new',
      description: null,
      value: 'y',
      limit: 10,
      read_only: true,
    })
    const tooLong = await send('POST', `/v1/blocks/${block.id}/versions/1/restore`, {})
    expect([tooLong.status, tooLong.body.detail]).toEqual([422, expect.stringContaining('Exceeds 10 character limit')])
    await ok('PATCH', `/v1/blocks/${block.id}`, { limit: 100 })
    const restored = await ok('POST', `/v1/blocks/${block.id}/versions/1/restore`, {})
    expect(restored).toMatchObject({
      label: 'old',
      description: 'first',
      value: 'x'.repeat(50),
      read_only: true,
      limit: 100,
    })
  })

  it('with a label that the agent has meanwhile for another block are a 409', async () => {
    const agentId = await createTestAgent(server.context.db, server.context.models)
    const human = await get<Thing>(`/v1/agents/${agentId}/core-memory/blocks/human`)
    await ok('PATCH', `/v1/blocks/${human.id}`, { label: 'person' })
    const other = await ok('POST', '/v1/blocks/', { label: 'human', value: '' })
    await server.request('PATCH', `/v1/agents/${agentId}/core-memory/blocks/attach/${other.id}`)
    const { status, body } = await send('POST', `/v1/blocks/${human.id}/versions/1/restore`, {})
    expect([status, body.detail]).toEqual([409, expect.stringContaining('has another block labelled `human`')])
  })

  it("are changed by label too, for the version that was read; the agent's prompt has what was restored", async () => {
    const agentId = await createTestAgent(server.context.db, server.context.models)
    const path = `/v1/agents/${agentId}/core-memory/blocks/human`
    const block = await ok('PATCH', path, { value: 'Nils', expected_version: 1 })
    expect((await send('PATCH', path, { value: 'Ada', expected_version: 1 })).status).toBe(409)
    await ok('PATCH', path, { value: 'Ada', expected_version: 2 })
    await ok('POST', `/v1/blocks/${block.id}/versions/2/restore`, {})
    await server.request('POST', `/v1/agents/${agentId}/messages`, { input: 'Hello' })
    expect(JSON.stringify(model.requests.at(-1))).toContain('Nils')
  })
})

describe('passages', () => {
  const newPassages = async (...texts: string[]) => {
    const { id } = (await server.request<{ id: string }>('POST', '/v1/archives/', { name: 'a' })).body
    const passages = texts.map((text) => ({ text, tags: ['t'], metadata: { page: 1 } }))
    const { body } = await server.request<Thing[]>('POST', `/v1/archives/${id}/passages/batch`, { passages })
    return body
  }
  const find = async (archive_id: unknown, query: string, more: object = {}) =>
    (
      await server.request<{ passage: Thing }[]>('POST', '/v1/passages/search', { archive_id, query, ...more })
    ).body.map(({ passage }) => passage.id)

  it('are found by what they say now, and by their new tags', async () => {
    const [passage] = await newPassages('The zeppelin is green')
    if (passage === undefined) throw new Error('no passage')
    const changed = await ok('PATCH', `/v1/passages/${passage.id}`, {
      text: 'The submarine is green',
      tags: ['u', 'u', 'v'],
      metadata: { page: 2 },
    })
    expect(changed).toMatchObject({
      tags: ['u', 'v'],
      metadata: { page: 2 },
      created_at: passage.created_at,
    })
    expect(await find(passage.archive_id, 'zeppelin')).toEqual([])
    expect(await find(passage.archive_id, 'submarine', { tags: ['v'] })).toEqual([passage.id])
    expect(await find(passage.archive_id, 'submarine', { tags: ['t'] })).toEqual([])
    await ok('POST', `/v1/passages/${passage.id}/versions/1/restore`, {})
    expect(await find(passage.archive_id, 'zeppelin', { tags: ['t'] })).toEqual([passage.id])
    expect(await get(`/v1/passages/${passage.id}`)).toMatchObject({ metadata: { page: 1 } })
  })

  it('do not become what another one says, unless that is asked for', async () => {
    const [bob, ada] = await newPassages('Bob rows', 'Ada rows')
    if (bob === undefined || ada === undefined) throw new Error('no passages')
    const refused = await send('PATCH', `/v1/passages/${ada.id}`, { text: 'BOB rows.' })
    expect([refused.status, refused.body.detail]).toEqual([
      409,
      expect.stringContaining(`Passage ${bob.id} says the same`),
    ])
    expect(await get(`/v1/passages/${ada.id}`)).toMatchObject({ text: 'Ada rows' })
    expect(await ok('PATCH', `/v1/passages/${bob.id}`, { text: 'Bob rows!' })).toMatchObject({ text: 'Bob rows!' })
    await ok('PATCH', `/v1/passages/${bob.id}`, { text: 'Bob swims' })
    await ok('PATCH', `/v1/passages/${ada.id}`, { text: 'Bob rows' })
    expect((await send('POST', `/v1/passages/${bob.id}/versions/1/restore`, {})).status).toBe(409)
    await ok('POST', `/v1/passages/${bob.id}/versions/1/restore`, { allow_duplicate: true })
    const again = await ok('POST', `/v1/archives/${bob.archive_id}/passages`, { text: 'bob rows' })
    expect(again).toMatchObject({ id: ada.id, is_duplicate: true })
  })

  it('follow the rules of passages', async () => {
    const [passage] = await newPassages('Bob rows')
    for (const [body, status] of [
      [{ text: ' ' }, 422],
      [{ text: 'x'.repeat(32_769) }, 400],
      [{ tags: ['x'.repeat(201)] }, 422],
      [{ expected_version: 0 }, 422],
    ] as const) {
      expect((await send('PATCH', `/v1/passages/${passage?.id}`, body)).status).toBe(status)
    }
    await ok('PATCH', `/v1/passages/${passage?.id}`, { text: null, tags: null, metadata: null })
    expect(await numbers(`/v1/passages/${passage?.id}/versions`)).toEqual([1])
    expect((await send('PATCH', `/v1/passages/${newId('passage')}`, { text: 'x' })).status).toBe(404)
  })

  it('from before there were versions have a first one, by whoever stored them', async () => {
    const [passage] = await newPassages('Bob rows')
    const clear = 'author_type = null, author_id = null, fact_key = null'
    await server.context.db.execute(`update passages set ${clear} where id = '${passage?.id}'`)
    const [first] = await get<Version[]>(`/v1/passages/${passage?.id}/versions`)
    expect(first).toMatchObject({ version: 1, author: byUser, created_at: passage?.created_at })
    await ok('PATCH', `/v1/passages/${passage?.id}`, { text: 'Bob swims' })
    expect((await get<Version[]>(`/v1/passages/${passage?.id}/versions`)).map(({ author }) => author)).toEqual([
      byUser,
      byUser,
    ])
  })
})
