import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { newId } from '#platform/ids.ts'
import { statement } from '#store/db.ts'
import { scriptedModel } from '../support/scripted-model.ts'
import { startTestServer, type TestServer } from '../support/test-server.ts'

interface Agent {
  id: string
  name: string
  agent_type: string
  enable_sleeptime: boolean | null
  blocks: { id: string; label: string }[]
  tools: { name: string }[]
  managed_group: Group | null
  multi_agent_group: Group | null
}
interface Group {
  id: string
  agent_ids: string[]
  shared_block_ids: string[]
  [field: string]: unknown
}

const MODEL = 'openai/gpt-4o-mini'
let server: TestServer
beforeAll(async () => {
  server = await startTestServer({ models: scriptedModel(() => ({ text: 'Yes.' })).registry })
})
afterAll(() => server.close())

async function newAgent(body: object = {}): Promise<Agent> {
  const response = await server.request<Agent>('POST', '/v1/agents', { model: MODEL, ...body })
  expect(response.status, JSON.stringify(response.body)).toBe(200)
  return response.body
}
const readAgent = async (id: string) =>
  (
    await server.request<Agent>(
      'GET',
      `/v1/agents/${id}?include=agent.blocks&include=agent.tools&include=agent.managed_group`,
    )
  ).body
const newBlock = async (label: string) =>
  (await server.request<{ id: string }>('POST', '/v1/blocks', { label, value: '' })).body.id
async function create(body: object): Promise<Group> {
  const response = await server.request<Group>('POST', '/v1/groups/', { description: 'Team', ...body })
  expect(response.status, JSON.stringify(response.body)).toBe(200)
  return response.body
}
const labelsOf = async (id: string) => (await readAgent(id)).blocks.map(({ label }) => label)

describe('groups', () => {
  test('all fields come back, and defaults', async () => {
    const one = await newAgent()
    const two = await newAgent()
    const group = await create({ agent_ids: [two.id, one.id], project_id: 'p' })
    expect(group).toEqual({
      id: expect.stringMatching(/^group-/),
      manager_type: 'round_robin',
      agent_ids: [two.id, one.id],
      description: 'Team',
      project_id: 'p',
      template_id: null,
      base_template_id: null,
      deployment_id: null,
      shared_block_ids: [],
      manager_agent_id: null,
      termination_token: null,
      max_turns: null,
      sleeptime_agent_frequency: null,
      turns_counter: null,
      last_processed_message_id: null,
      max_message_buffer_length: null,
      min_message_buffer_length: null,
      hidden: null,
    })
    expect((await server.request('GET', `/v1/groups/${group.id}`)).body).toEqual(group)
    const ofAgent = await server.request<Group[]>('GET', `/v1/agents/${one.id}/groups`)
    expect(ofAgent.body).toEqual([group])
    expect((await server.request('GET', `/v1/agents/${one.id}/groups?manager_type=sleeptime`)).body).toEqual([])
  })

  test.each<[string, object, object]>([
    ['supervisor', {}, {}],
    ['dynamic', {}, { termination_token: 'DONE!' }],
    ['dynamic', { termination_token: 'STOP', max_turns: 3 }, { termination_token: 'STOP', max_turns: 3 }],
    ['sleeptime', { sleeptime_agent_frequency: 2 }, { sleeptime_agent_frequency: 2, turns_counter: 0 }],
    ['voice_sleeptime', { max_message_buffer_length: 9, min_message_buffer_length: 3 }, { turns_counter: 0 }],
  ])('a %s manager %j', async (manager_type, config, expected) => {
    const manager = await newAgent()
    const member = await newAgent()
    const manager_config = { manager_type, manager_agent_id: manager.id, ...config }
    const group = await create({ agent_ids: [member.id], manager_config })
    expect(group).toMatchObject({ manager_type, manager_agent_id: manager.id, ...expected })
    expect((await readAgent(manager.id)).managed_group).toMatchObject({ id: group.id })
    expect((await server.request('GET', `/v1/agents/${manager.id}/groups`)).body).toEqual([group])
    // deleting the manager deletes the group, but no member that is no helper
    await server.request('DELETE', `/v1/agents/${manager.id}`)
    expect((await server.request('GET', `/v1/groups/${group.id}`)).status).toBe(404)
    expect((await server.request('GET', `/v1/agents/${member.id}`)).status).toBe(200)
  })

  test.each<[string, number, (id: string) => object]>([
    ['no manager', 400, () => ({ manager_config: { manager_type: 'supervisor' } })],
    ['an unknown type', 422, () => ({ manager_config: { manager_type: 'swarm' } })],
    [
      'an unknown manager',
      404,
      () => ({ manager_config: { manager_type: 'supervisor', manager_agent_id: newId('agent') } }),
    ],
    ['an unknown member', 404, () => ({ agent_ids: [newId('agent')] })],
    ['an unknown block', 404, () => ({ shared_block_ids: [newId('block')] })],
    [
      'a manager that is a member',
      400,
      (id) => ({ manager_config: { manager_type: 'supervisor', manager_agent_id: id } }),
    ],
    [
      'a frequency of nothing',
      422,
      (id) => ({ manager_config: { manager_type: 'sleeptime', manager_agent_id: id, sleeptime_agent_frequency: 0 } }),
    ],
    ['no description', 422, () => ({ description: undefined })],
    ['a text for the members', 422, () => ({ agent_ids: 'x' })],
    [
      'a buffer whose least is its most',
      400,
      (id) => ({
        agent_ids: [],
        manager_config: {
          manager_type: 'voice_sleeptime',
          manager_agent_id: id,
          max_message_buffer_length: 2,
          min_message_buffer_length: 2,
        },
      }),
    ],
  ])('%s is refused', async (_, status, body) => {
    const agent = await newAgent()
    const before = (await server.request('GET', '/v1/groups/count')).body
    const full = { agent_ids: [agent.id], description: 'd', ...body(agent.id) }
    expect((await server.request('POST', '/v1/groups/', full)).status).toBe(status)
    expect((await server.request('GET', '/v1/groups/count')).body).toBe(before)
  })

  test('lists, filters, pages', async () => {
    const agent = await newAgent()
    const one = await create({ agent_ids: [agent.id], project_id: 'listed' })
    const two = await create({ agent_ids: [agent.id], project_id: 'listed' })
    const hidden = await create({ agent_ids: [agent.id], project_id: 'listed', hidden: true })
    const ids = async (query: string) =>
      (await server.request<Group[]>('GET', `/v1/groups/?project_id=listed&${query}`)).body.map(({ id }) => id)
    expect(await ids('')).toEqual([one.id, two.id])
    expect(await ids('order=desc&limit=1')).toEqual([two.id])
    expect(await ids(`after=${one.id}`)).toEqual([two.id])
    expect(await ids('show_hidden_groups=true')).toEqual([one.id, two.id, hidden.id])
    expect(await ids('manager_type=dynamic')).toEqual([])
    expect((await server.request('GET', `/v1/groups/?after=${newId('group')}`)).status).toBe(404)
  })

  test('a change leaves the rest, and keeps the type of the manager', async () => {
    const [one, two, boss] = [await newAgent(), await newAgent(), await newAgent()]
    const manager_config = { manager_type: 'dynamic', manager_agent_id: boss.id, max_turns: 4 }
    const group = await create({ agent_ids: [one.id], manager_config })
    const patch = (body: object) => server.request<Group>('PATCH', `/v1/groups/${group.id}`, body)
    expect((await patch({})).body).toEqual(group)
    const changed = await patch({ agent_ids: [two.id, one.id], description: 'New' })
    expect(changed.body).toEqual({ ...group, agent_ids: [two.id, one.id], description: 'New' })
    const managed = await patch({ manager_config: { manager_type: 'dynamic', max_turns: null } })
    expect(managed.body).toMatchObject({ max_turns: null, manager_agent_id: boss.id, termination_token: 'DONE!' })
    expect((await patch({ manager_config: { manager_type: 'supervisor', manager_agent_id: boss.id } })).status).toBe(
      400,
    )
    expect((await patch({ agent_ids: [boss.id] })).status).toBe(400)
    expect((await patch({ agent_ids: [newId('agent')] })).status).toBe(404)
  })

  test('blocks of a group are blocks of all its agents', async () => {
    const [one, two, boss] = [await newAgent(), await newAgent(), await newAgent()]
    const block = await newBlock('shared')
    const manager_config = { manager_type: 'supervisor', manager_agent_id: boss.id }
    const group = await create({ agent_ids: [one.id, two.id], manager_config, shared_block_ids: [block] })
    for (const { id } of [one, two, boss]) expect(await labelsOf(id)).toEqual(['shared'])
    const url = (verb: string, id: string) => `/v1/groups/${group.id}/blocks/${verb}/${id}`
    const other = await newBlock('other')
    expect((await server.request('PATCH', url('attach', other))).body).toBeNull()
    for (const { id } of [one, two, boss]) expect(await labelsOf(id)).toEqual(['shared', 'other'])
    expect((await server.request('GET', `/v1/groups/${group.id}`)).body.shared_block_ids).toEqual([block, other])
    expect((await server.request('PATCH', url('attach', await newBlock('other')))).status).toBe(409)
    expect((await server.request('PATCH', url('detach', other))).body).toBeNull()
    expect((await server.request('PATCH', url('detach', other))).body).toBeNull()
    for (const { id } of [one, two, boss]) expect(await labelsOf(id)).toEqual(['shared'])
    expect((await server.request('PATCH', url('attach', newId('block')))).status).toBe(404)
    expect((await server.request('PATCH', url('detach', newId('block')))).status).toBe(404)
  })

  test('messages of its agents in order, and none after a reset', async () => {
    const [one, boss] = [await newAgent(), await newAgent()]
    const manager_config = { manager_type: 'supervisor', manager_agent_id: boss.id }
    const group = await create({ agent_ids: [one.id], manager_config })
    for (const [id, input] of [
      [one.id, 'first'],
      [boss.id, 'second'],
      [one.id, 'third'],
    ]) {
      expect((await server.request('POST', `/v1/agents/${id}/messages`, { input })).status).toBe(200)
    }
    const said = async (query: string) =>
      (
        await server.request<{ id: string; content: string; message_type: string }[]>(
          'GET',
          `/v1/groups/${group.id}/messages?include_return_message_types=user_message&${query}`,
        )
      ).body
    const all = await said('limit=100')
    expect(all.map(({ content }) => content)).toEqual(['first', 'second', 'third'])
    const second = all[1]?.id
    expect((await said(`limit=100&after=${second}`)).map(({ content }) => content)).toEqual(['third'])
    expect((await said(`limit=100&before=${second}`)).map(({ content }) => content)).toEqual(['first'])
    expect((await server.request('GET', `/v1/groups/${group.id}/messages?after=${newId('message')}`)).status).toBe(404)
    expect((await server.request('PATCH', `/v1/groups/${group.id}/reset-messages`)).body).toBeNull()
    expect(await said('limit=100')).toEqual([])
  })

  test.each<['GET' | 'PATCH' | 'DELETE', string, object?]>([
    ['GET', ''],
    ['PATCH', '', { description: 'x' }],
    ['DELETE', ''],
    ['GET', '/messages'],
    ['PATCH', '/reset-messages'],
    ['PATCH', '/blocks/attach/:block'],
    ['PATCH', '/blocks/detach/:block'],
  ])('ids: %s %s', async (method, rest, body) => {
    const { headers } = await server.addOrganization()
    const group = await create({ agent_ids: [] })
    const path = rest.replace(':block', await newBlock('b'))
    const ask = async (id: string, as?: Record<string, string>) =>
      (await server.request(method, `/v1/groups/${id}${path}`, body, as)).status
    expect(await ask(newId('group'))).toBe(404)
    expect(await ask(group.id, headers)).toBe(404)
    expect(await ask('group-1')).toBe(422)
    expect((await server.request('GET', `/v1/groups/${group.id}`)).body).toEqual(group)
    expect(await ask(group.id)).toBe(200)
  })
})

describe('an agent with a sleeptime agent behind it', () => {
  const countAgents = statement('test-count-agents', 'select count(*) as count from agents')

  test('is made with it, without an embedding too', async () => {
    const main = await newAgent({
      name: 'Ada',
      enable_sleeptime: true,
      memory_blocks: [{ label: 'human', value: 'x' }],
    })
    expect(main.enable_sleeptime).toBe(true)
    expect(main.tools.map(({ name }) => name)).toEqual(['conversation_search', 'archival_memory_search'])
    expect(main.blocks.map(({ label }) => label)).toEqual(['human'])
    const group = main.managed_group
    expect(group).toMatchObject({
      manager_type: 'sleeptime',
      manager_agent_id: main.id,
      sleeptime_agent_frequency: 5,
      turns_counter: 0,
    })
    expect(main.multi_agent_group).toEqual(group)
    expect((await readAgent(main.id)).managed_group).toEqual(group)
    const companion = await readAgent(group?.agent_ids[0] ?? '')
    expect(companion).toMatchObject({ name: 'Ada-sleeptime', agent_type: 'sleeptime_agent', managed_group: null })
    expect(companion.blocks.map(({ label }) => label)).toEqual(['memory_persona', 'human'])
    expect(companion.blocks[1]?.id).toBe(main.blocks[0]?.id)
    expect(companion.tools.map(({ name }) => name)).toEqual([
      'memory_replace',
      'memory_insert',
      'memory_rethink',
      'memory_finish_edits',
    ])
  })

  test('is left by it when the main agent is deleted; the shared block stays', async () => {
    const block = await newBlock('human')
    const before = await server.context.db.query(countAgents)
    const main = await newAgent({ enable_sleeptime: true, block_ids: [block] })
    await server.request('DELETE', `/v1/agents/${main.id}`)
    expect(await server.context.db.query(countAgents)).toEqual(before)
    expect((await server.request('GET', `/v1/groups/${main.managed_group?.id}`)).status).toBe(404)
    expect((await server.request('GET', `/v1/blocks/${block}`)).status).toBe(200)
  })

  test('all or nothing: a main agent that cannot be stored leaves no companion', async () => {
    const before = await server.context.db.query(countAgents)
    const blocks = Array.from({ length: 100 }, (_, index) => ({ label: `b${index}`, value: '' }))
    // the companion would have 101
    const refused = await server.request('POST', '/v1/agents', {
      model: MODEL,
      enable_sleeptime: true,
      memory_blocks: blocks,
    })
    expect(refused.status).toBe(400)
    expect(await server.context.db.query(countAgents)).toEqual(before)
  })

  test('gets it by a change, once, and keeps the group when it is switched off', async () => {
    const main = await newAgent({ memory_blocks: [{ label: 'human', value: 'x' }] })
    expect(main.managed_group).toBeNull()
    const patch = (body: object) => server.request<Agent>('PATCH', `/v1/agents/${main.id}`, body)
    const answers = await Promise.all([patch({ enable_sleeptime: true }), patch({ enable_sleeptime: true })])
    expect(answers.map(({ status }) => status)).toEqual([200, 200])
    const group = answers[0].body.managed_group
    expect(group?.agent_ids).toHaveLength(1)
    expect(answers[1].body.managed_group).toEqual(group)
    const off = (await patch({ enable_sleeptime: false })).body
    expect(off).toMatchObject({ enable_sleeptime: false, managed_group: group })
    // a companion that was deleted is made anew
    await server.request('DELETE', `/v1/agents/${group?.agent_ids[0]}`)
    const again = (await patch({ enable_sleeptime: true })).body
    expect(again.managed_group).toMatchObject({ id: group?.id, agent_ids: [expect.stringMatching(/^agent-/)] })
    expect((await server.request('DELETE', `/v1/groups/${group?.id}`)).body).toBeNull()
    expect(await readAgent(main.id)).toMatchObject({ enable_sleeptime: false, managed_group: null })
  })

  test('a helper has no helper, and an agent one group behind it', async () => {
    const body = { model: MODEL, agent_type: 'sleeptime_agent', enable_sleeptime: true }
    expect((await server.request('POST', '/v1/agents', body)).status).toBe(400)
    const main = await newAgent({ enable_sleeptime: true })
    const manager_config = { manager_type: 'sleeptime', manager_agent_id: main.id }
    const second = { description: 'd', agent_ids: [], manager_config }
    expect((await server.request('POST', '/v1/groups/', second)).status).toBe(409)
  })

  test('a block that has the name of its persona is shared instead', async () => {
    const main = await newAgent({ enable_sleeptime: true, memory_blocks: [{ label: 'memory_persona', value: 'mine' }] })
    const companion = await readAgent(main.managed_group?.agent_ids[0] ?? '')
    expect(companion.blocks).toEqual(main.blocks)
  })
})
