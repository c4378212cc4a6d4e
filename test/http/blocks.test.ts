import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { DEFAULT_ORGANIZATION_ID, newId } from '#platform/ids.ts'
import { statement } from '#store/db.ts'
import { seedTurn } from '../support/seed.ts'
import { startTestServer, type TestServer } from '../support/test-server.ts'

interface Block {
  id: string
  label: string
  value: string
  limit: number
  [field: string]: unknown
}

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.close())

async function create(body: Record<string, unknown>): Promise<Block> {
  const response = await server.request<Block>('POST', '/v1/blocks/', body)
  expect(response.status, JSON.stringify(response.body)).toBe(200)
  return response.body
}
const list = async (query: string) => (await server.request<Block[]>('GET', `/v1/blocks/?${query}`)).body
const labels = async (query: string) => (await list(query)).map((block) => block.label)

const attach = statement(
  'test-attach-block',
  'insert into agent_blocks (organization_id, agent_id, block_id, label) values ($1, $2, $3, $4)',
)

describe('create and retrieve', () => {
  test('all fields come back, with nulls', async () => {
    const block = await create({ label: 'facts', value: 'v', metadata: { a: [1] }, tags: ['b', 'a', 'b'], surprise: 1 })
    expect(block).toEqual({
      id: expect.stringMatching(/^block-/),
      label: 'facts',
      value: 'v',
      limit: 100_000,
      description: null,
      read_only: false,
      metadata: { a: [1] },
      tags: ['a', 'b'],
      hidden: null,
      is_template: false,
      template_name: null,
      template_id: null,
      base_template_id: null,
      deployment_id: null,
      entity_id: null,
      preserve_on_migration: false,
      project_id: null,
      created_by_id: 'user-00000000-0000-4000-8000-000000000000',
      last_updated_by_id: 'user-00000000-0000-4000-8000-000000000000',
    })
    expect((await server.request('GET', `/v1/blocks/${block.id}`)).body).toEqual(block)
    expect((await server.request('GET', `/latest/blocks/${block.id}/`)).body).toEqual(block)
  })

  test.each([
    ['human', 20_000],
    ['persona', 20_000],
    ['other', 100_000],
  ])('%s has a limit of %i and, where it is a usual one, a description', async (label, limit) => {
    const block = await create({ label, value: '' })
    expect(block.limit).toBe(limit)
    expect(typeof block.description).toBe(label === 'other' ? 'object' : 'string')
  })

  test('a long persona is not refused by a limit that nobody asked for', async () => {
    expect((await create({ label: 'persona', value: 'x'.repeat(30_000) })).limit).toBe(100_000)
  })

  test.each([
    ['no label', { value: 'v' }],
    ['no value', { label: 'a' }],
    ['an empty label', { label: ' ', value: 'v' }],
    ['a label that would break the prompt', { label: 'a>b', value: 'v' }],
    ['a label without end', { label: 'a'.repeat(101), value: 'v' }],
    ['a value over its limit', { label: 'a', value: 'abc', limit: 2 }],
    ['a limit of nothing', { label: 'a', value: '', limit: 0 }],
    ['a limit beyond the integers', { label: 'a', value: '', limit: 2 ** 31 }],
    ['a number as value', { label: 'a', value: 1 }],
    ['a text as limit', { label: 'a', value: '', limit: '5' }],
    ['a list as metadata', { label: 'a', value: '', metadata: [] }],
    ['numbers as tags', { label: 'a', value: '', tags: [1] }],
    ['a list as body', []],
  ])('%s is refused', async (_, body) => {
    const response = await server.request('POST', '/v1/blocks/', body)
    expect(response.status).toBe(422)
    expect(typeof response.body.detail).toBe('string')
  })
})

describe('update', () => {
  test('what is left out stays, null clears, lists replace', async () => {
    const block = await create({
      label: 'up',
      value: 'v',
      description: 'd',
      metadata: { a: 1 },
      tags: ['x'],
      hidden: true,
    })
    const changed = await server.request<Block>('PATCH', `/v1/blocks/${block.id}`, { value: 'w', description: null })
    expect(changed.body).toEqual({ ...block, value: 'w', description: null })
    const cleared = { metadata: null, tags: null, hidden: null, limit: null, value: null, label: null, read_only: null }
    expect((await server.request('PATCH', `/v1/blocks/${block.id}`, cleared)).body).toEqual({
      ...changed.body,
      metadata: {},
      tags: [],
      hidden: null,
    })
    expect((await server.request('PATCH', `/v1/blocks/${block.id}`, {})).status).toBe(200)
  })

  test('a value over the limit is refused and nothing is written', async () => {
    const block = await create({ label: 'tight', value: 'abc', limit: 3 })
    for (const body of [{ value: 'abcd' }, { limit: 2 }, { value: 'abcde', limit: 4 }]) {
      const response = await server.request('PATCH', `/v1/blocks/${block.id}`, { ...body, description: 'no' })
      expect(response.status).toBe(422)
      expect(response.body.detail).toContain('character limit')
    }
    expect((await server.request('GET', `/v1/blocks/${block.id}`)).body).toEqual(block)
    expect((await server.request('PATCH', `/v1/blocks/${block.id}`, { value: 'abcd', limit: 4 })).status).toBe(200)
  })

  test('a new label reaches the agents; one that an agent has already is a conflict', async () => {
    const { db } = server.context
    const { agentId } = await seedTurn(db, DEFAULT_ORGANIZATION_ID)
    const [one, two] = [await create({ label: 'one', value: '' }), await create({ label: 'two', value: '' })]
    for (const block of [one, two]) await db.query(attach, [DEFAULT_ORGANIZATION_ID, agentId, block.id, block.label])
    const clash = await server.request('PATCH', `/v1/blocks/${one.id}`, { label: 'two' })
    expect(clash.status).toBe(409)
    expect(clash.body.detail).toContain('two')
    expect((await server.request<Block>('PATCH', `/v1/blocks/${one.id}`, { label: 'first' })).body.label).toBe('first')
    const blocks = await server.request<Block[]>('GET', `/v1/agents/${agentId}/core-memory/blocks`)
    expect(blocks.body.map((block) => block.label).toSorted()).toEqual(['first', 'two'])
  })

  test('edits at the same moment are all kept', async () => {
    const block = await create({ label: 'busy', value: '' })
    const bodies = [
      { value: 'v' },
      { description: 'd' },
      { tags: ['t'] },
      { metadata: { m: 1 } },
      { template_name: 'n' },
    ]
    await Promise.all(bodies.map((body) => server.request('PATCH', `/v1/blocks/${block.id}`, body)))
    const after = (await server.request('GET', `/v1/blocks/${block.id}`)).body
    expect(after).toEqual({ ...block, ...Object.assign({}, ...bodies) })
  })
})

describe('delete', () => {
  test('takes the block from its agents and leaves them', async () => {
    const { db } = server.context
    const { agentId } = await seedTurn(db, DEFAULT_ORGANIZATION_ID)
    const block = await create({ label: 'gone', value: '' })
    await db.query(attach, [DEFAULT_ORGANIZATION_ID, agentId, block.id, 'gone'])
    const response = await server.request('DELETE', `/v1/blocks/${block.id}`)
    expect([response.status, response.body]).toEqual([200, null])
    expect((await server.request('GET', `/v1/blocks/${block.id}`)).status).toBe(404)
    expect((await server.request('DELETE', `/v1/blocks/${block.id}`)).status).toBe(404)
    expect((await server.request('GET', `/v1/agents/${agentId}/core-memory/blocks`)).body).toEqual([])
  })
})

describe('lists', () => {
  const ids: string[] = []
  beforeAll(async () => {
    const project = { project_id: 'p-list' }
    ids.push((await create({ ...project, label: 'list_a', value: 'Alpha 100%', tags: ['red', 'blue'] })).id)
    ids.push(
      (await create({ ...project, label: 'list_b', value: 'beta', description: 'The Second', tags: ['red'] })).id,
    )
    ids.push(
      (await create({ ...project, label: 'list_c', value: 'gamma', is_template: true, template_name: 'tpl' })).id,
    )
    ids.push((await create({ ...project, label: 'list_h', value: 'hidden', hidden: true, tags: ['blue'] })).id)
    const { db } = server.context
    const turns = [
      await seedTurn(db, DEFAULT_ORGANIZATION_ID, 'One'),
      await seedTurn(db, DEFAULT_ORGANIZATION_ID, 'Two'),
    ]
    for (const { agentId } of turns) await db.query(attach, [DEFAULT_ORGANIZATION_ID, agentId, ids[1], 'list_b'])
    await db.query(attach, [DEFAULT_ORGANIZATION_ID, turns[0]?.agentId, ids[2], 'list_c'])
  })

  test.each([
    ['', ['list_a', 'list_b', 'list_c']],
    ['order=desc', ['list_c', 'list_b', 'list_a']],
    ['limit=2', ['list_a', 'list_b']],
    ['show_hidden_blocks=true&order=desc&limit=2', ['list_h', 'list_c']],
    ['label=list_b', ['list_b']],
    ['label=nothing', []],
    ['templates_only=true', ['list_c']],
    ['name=tpl', ['list_c']],
    ['tags=red', ['list_a', 'list_b']],
    ['tags=red&tags=blue', ['list_a', 'list_b']],
    ['tags=red&tags=blue&match_all_tags=true', ['list_a']],
    ['label_search=LIST_', ['list_a', 'list_b', 'list_c']],
    ['label_search=_b', ['list_b']],
    ['value_search=ALPHA', ['list_a']],
    ['value_search=100%25', ['list_a']],
    ['value_search=%25', ['list_a']],
    ['description_search=second', ['list_b']],
    ['connected_to_agents_count_gt=1', ['list_b']],
    ['connected_to_agents_count_lt=1', ['list_a']],
    ['connected_to_agents_count_eq=0&connected_to_agents_count_eq=1', ['list_a', 'list_c']],
    ['identifier_keys=somebody', []],
    [`identity_id=identity-${crypto.randomUUID()}`, []],
  ])('%s', async (query, expected) => {
    expect(await labels(`project_id=p-list&${query}`)).toEqual(expected)
  })

  test('cursors follow the order asked for, in both directions', async () => {
    const all = `project_id=p-list&show_hidden_blocks=true`
    expect(await labels(`${all}&after=${ids[1]}`)).toEqual(['list_c', 'list_h'])
    expect(await labels(`${all}&before=${ids[2]}`)).toEqual(['list_a', 'list_b'])
    expect(await labels(`${all}&before=${ids[3]}&limit=2`)).toEqual(['list_b', 'list_c'])
    expect(await labels(`${all}&order=desc&after=${ids[1]}`)).toEqual(['list_a'])
    expect(await labels(`${all}&order=desc&before=${ids[1]}`)).toEqual(['list_h', 'list_c'])
    expect(await labels(`${all}&after=${ids[0]}&before=${ids[3]}`)).toEqual(['list_b', 'list_c'])
    expect(await labels(`${all}&after=${ids[3]}`)).toEqual([])
    expect((await server.request('GET', `/v1/blocks/?after=${newId('block')}`)).status).toBe(404)
  })

  test.each([
    'limit=0',
    'limit=x',
    'order=up',
    'order_by=label',
    'match_all_tags=2',
    `value_search=${'x'.repeat(201)}`,
  ])('%s is refused', async (query) => {
    expect((await server.request('GET', `/v1/blocks/?${query}`)).status).toBe(422)
  })

  test('count counts the same', async () => {
    expect((await server.request<number>('GET', '/v1/blocks/count?project_id=p-list')).body).toBe(3)
    expect((await server.request<number>('GET', '/v1/blocks/count?project_id=p-list&tags=red')).body).toBe(2)
    expect((await server.request<number>('GET', '/v1/blocks/count?label=nothing')).body).toBe(0)
  })

  test('the agents of a block', async () => {
    const names = async (url: string) =>
      (await server.request<{ name: string }[]>('GET', url)).body.map((agent) => agent.name)
    expect(await names(`/v1/blocks/${ids[1]}/agents`)).toEqual(['Two', 'One'])
    expect(await names(`/v1/blocks/${ids[1]}/agents?order=asc&limit=1`)).toEqual(['One'])
    expect(await names(`/v1/blocks/${ids[0]}/agents`)).toEqual([])
    const [agent] = (
      await server.request<{ blocks: Block[] }[]>('GET', `/v1/blocks/${ids[1]}/agents?include=agent.blocks&order=asc`)
    ).body
    expect(agent?.blocks.map((block) => block.label).toSorted()).toEqual(['list_b', 'list_c'])
  })
})

test('the official client walks through all blocks', async () => {
  const client = await server.sdk()
  const seen: string[] = []
  for await (const block of client.blocks.list({ limit: 3 })) seen.push(block.id)
  expect(seen.length).toBe((await server.request<number>('GET', '/v1/blocks/count')).body)
  expect(new Set(seen).size).toBe(seen.length)
  const block = await client.blocks.create({ label: 'sdk', value: 'v' })
  expect((await client.blocks.update(block.id, { value: 'w' })).value).toBe('w')
  expect(await client.blocks.delete(block.id)).toBeNull()
})
