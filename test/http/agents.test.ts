import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { AgentWire } from '#http/v1/agents/agent-schema.ts'
import { startTestServer, type TestServer } from '../support/test-server.ts'

type ErrorBody = { detail: string }
const MODEL = 'openai/gpt-4o-mini'
const UNKNOWN = '01234567-89ab-4def-8123-456789abcdef'

let server: TestServer
let statements: string[] = []
/** What the run engine and the jobs ask now and then, whatever requests there are. */
const BACKGROUND =
  /^(claim-|take-over-|list-idle-queues|list-waiting-threads|list-cancelled-runs|expire-all-leases|renew-leases|settle-|delete-old|prune-)/

beforeAll(async () => {
  server = await startTestServer({ onStatement: (name) => void (BACKGROUND.test(name) || statements.push(name)) })
})
afterAll(() => server.close())
beforeEach(() => {
  statements = []
})

const create = (body: object = {}) => server.request<AgentWire>('POST', '/v1/agents/', { model: MODEL, ...body })
const failure = async (body: object) => {
  const { status, body: answer } = await server.request<ErrorBody>('POST', '/v1/agents/', { model: MODEL, ...body })
  return { status, detail: answer.detail }
}
const memoryBlock = (label: string, value = '') => ({ label, value })

describe('create_agent', () => {
  it('makes an agent with blocks, tools, tags and its first message in at most 8 statements', async () => {
    const shared = await server.request('POST', '/v1/blocks/', { label: 'shared', value: 'ours' })
    statements = []
    const { status, body } = await create({
      name: "Ada O'Neil-1",
      memory_blocks: [memoryBlock('persona', 'I am Ada.'), memoryBlock('human')],
      block_ids: [shared.body.id],
      tools: ['archival_memory_insert'],
      tags: ['b', 'a', 'b'],
      timezone: 'Europe/Berlin',
      description: 'first',
      metadata: { a: [1, { b: null }] },
    })
    expect(status).toBe(200)
    expect(statements.length, statements.join()).toBeLessThanOrEqual(8)
    expect(body.name).toBe("Ada O'Neil-1")
    expect(body.agent_type).toBe('letta_v1_agent')
    expect(body.blocks.map((block) => block.label)).toEqual(['persona', 'human', 'shared'])
    expect(body.blocks[1]?.description).toMatch(/human/)
    expect(body.memory.blocks).toEqual(body.blocks)
    expect(body.tools.map((tool) => tool.name)).toEqual([
      'conversation_search',
      'memory_insert',
      'memory_replace',
      'archival_memory_insert',
    ])
    expect(body.tags).toEqual(['a', 'b'])
    expect(body.message_ids).toHaveLength(1)
    expect(body.metadata).toEqual({ a: [1, { b: null }] })
    expect(body.system).toMatch(/^<base_instructions>/)
    expect(body.model_settings).toEqual({
      max_output_tokens: 16_384,
      parallel_tool_calls: true,
      provider_type: 'openai',
      temperature: 1,
      reasoning: { reasoning_effort: 'minimal' },
      response_format: null,
      strict: false,
    })
    expect(body.llm_config).toMatchObject({ handle: MODEL, model: 'gpt-4o-mini', context_window: 128_000 })
    const everything = ['agent.blocks', 'agent.tools', 'agent.tags'].map((name) => `include=${name}`).join('&')
    const read = await server.request<AgentWire>('GET', `/v1/agents/${body.id}?${everything}`)
    expect(read.body).toEqual(body)
  })

  it('stores the compiled prompt as the first message and as the text of the thread', async () => {
    const { body } = await create({ memory_blocks: [memoryBlock('persona', 'I am Ada.')], system: 'Be good.' })
    const [message] = await server.context.db.query<{
      role: string
      content: { text: string }[]
      system_prompt: string
    }>(
      {
        name: 'test-first-message',
        text: 'select m.role, m.content, c.system_prompt from messages m join conversations c on c.system_message_id = m.id where m.agent_id = $1',
      },
      [body.id],
    )
    expect(message?.role).toBe('system')
    expect(message?.content[0]?.text).toBe(message?.system_prompt)
    expect(message?.system_prompt).toMatch(/^Be good\.\n\n<memory_blocks>[\s\S]*I am Ada\.[\s\S]*<memory_metadata>/)
  })

  it('gives a name where none is sent, and takes letters of any script', async () => {
    expect((await create()).body.name).toMatch(/^[a-z]+-[a-z]+-\d+$/)
    expect((await create({ name: 'Żółw 亀_1' })).status).toBe(200)
  })

  it('keeps initial messages behind the system message', async () => {
    const { body } = await create({
      initial_message_sequence: [
        { role: 'user', content: 'Hello' },
        { role: 'assistant', content: [{ type: 'text', text: 'Hi' }] },
      ],
    })
    expect(body.message_ids).toHaveLength(3)
    const read = await server.request<AgentWire>('GET', `/v1/agents/${body.id}`)
    expect(read.body.message_ids).toEqual(body.message_ids)
  })

  it('takes the fields of older clients', async () => {
    const { body } = await create({
      model: null,
      llm_config: {
        handle: MODEL,
        model: 'gpt-4o-mini',
        model_endpoint_type: 'openai',
        context_window: 32_000,
        temperature: 0.3,
      },
      embedding_config: { handle: 'openai/text-embedding-3-small' },
      max_tokens: 1000,
      parallel_tool_calls: false,
    })
    expect(body.model).toBe(MODEL)
    expect(body.embedding_config?.embedding_dim).toBe(1536)
    expect(body.llm_config.context_window).toBe(32_000)
    expect(body.model_settings).toMatchObject({ temperature: 0.3, max_output_tokens: 1000, parallel_tool_calls: false })
  })

  it('takes enable_reasoner, which is older than reasoning', async () => {
    const thinking = async (fields: object) =>
      (await create({ model: 'anthropic/claude-haiku-4-5', ...fields })).body.model_settings.thinking
    expect(await thinking({ enable_reasoner: true })).toEqual({ type: 'enabled', budget_tokens: 1024 })
    expect(await thinking({ enable_reasoner: true, reasoning: false })).toMatchObject({ type: 'disabled' })
  })

  it('says what to do instead of from_template', async () => {
    expect(await failure({ from_template: 'helper:1' })).toEqual({
      status: 400,
      detail: expect.stringContaining('POST /v1/templates/'),
    })
  })

  it('drops tool rules that are there twice, and completes them', async () => {
    const rule = { tool_name: 'memory_insert', type: 'exit_loop' }
    const { body } = await create({ tool_rules: [rule, rule, { ...rule, tool_name: 'memory_replace' }] })
    expect(body.tool_rules).toEqual([
      { ...rule, prompt_template: null },
      { ...rule, tool_name: 'memory_replace', prompt_template: null },
    ])
  })

  it('keeps rules of one kind that differ', async () => {
    const rule = { tool_name: 'memory_insert', type: 'max_count_per_step' }
    const limits = [1, 2, 1].map((max_count_limit) => ({ ...rule, max_count_limit }))
    const { body } = await create({ tool_rules: limits })
    expect(body.tool_rules.map((kept) => kept.max_count_limit)).toEqual([1, 2])
  })

  it.each([
    [{ type: 'max_count_per_step' }, 'needs max_count_limit'],
    [{ type: 'max_count_per_step', max_count_limit: 'two' }, 'max_count_limit: Input should be a valid integer'],
    [{ type: 'constrain_child_tools', children: 'b' }, 'children: Input should be a valid array'],
    [{ type: 'conditional', child_output_mapping: ['b'] }, 'child_output_mapping: Input should be a valid object'],
  ])('refuses the tool rule %j', async (rule, problem) => {
    const { status, body } = await create({ tool_rules: [{ tool_name: 'memory_insert', ...rule }] })
    expect(status).toBe(422)
    expect(JSON.stringify(body)).toContain(problem)
  })

  it('hides sub-agents', async () => {
    const { body } = await create({ tags: ['role:subagent'] })
    expect(body.hidden).toBe(true)
  })

  it.each([
    [422, { name: 'no/slash' }, /invalid characters/],
    [422, { name: 7 }, /body\.name: Input should be a valid string/],
    [422, { agent_type: 'robot' }, /agent_type/],
    [422, { timezone: 'Mars/Base' }, /time zone/],
    [422, { tool_rules: [{ tool_name: 'x', type: 'max_count_per_step' }] }, /max_count_limit/],
    [422, { memory_blocks: [{ label: 'human', value: 'too long', limit: 3 }] }, /3 character limit/],
    [422, { block_ids: ['block-1'] }, /pattern 'block-\{uuid4\}'/],
    [400, { model: 'gpt-4o-mini' }, /provider\/model/],
    [400, { model: null }, /PERDURE_DEFAULT_MODEL/],
    [400, { tools: ['no_such_tool'] }, /no_such_tool/],
    [400, { context_window_limit: 999_999 }, /128000 tokens/],
    [400, { context_window_limit: 100 }, /too small/],
    [404, { folder_ids: [`source-${UNKNOWN}`] }, /Folders not found/],
    [400, { memory_blocks: Array.from({ length: 101 }, (_, i) => memoryBlock(`b${i}`)) }, /100 memory blocks/],
    [404, { model: 'openai/none' }, /NOT_FOUND: Handle openai\/none/],
    [404, { block_ids: [`block-${UNKNOWN}`] }, /Blocks not found/],
    [404, { tool_ids: [`tool-${UNKNOWN}`] }, /Tools not found/],
    [409, { memory_blocks: [memoryBlock('a'), memoryBlock('a')] }, /two memory blocks of one label/],
  ])('answers %i to %j', async (status, body, detail) => {
    const answer = await failure(body)
    expect(answer.detail).toMatch(detail)
    expect(answer.status).toBe(status)
  })

  it('leaves nothing behind when it fails', async () => {
    const count = async () => (await server.request<number>('GET', '/v1/blocks/count')).body
    const before = await count()
    await failure({ memory_blocks: [memoryBlock('kept')], block_ids: [`block-${UNKNOWN}`] })
    expect(await count()).toBe(before)
  })

  it('takes null and empty for what is not there yet', async () => {
    const { status } = await create({
      secrets: {},
      folder_ids: [],
      source_ids: null,
      identity_ids: [],
      enable_sleeptime: false,
    })
    expect(status).toBe(200)
  })
})

describe('retrieve_agent', () => {
  it('leaves relations empty unless they are asked for', async () => {
    const { body: agent } = await create({ memory_blocks: [memoryBlock('human')], tags: ['x'] })
    const plain = await server.request<AgentWire>('GET', `/latest/agents/${agent.id}`)
    expect(plain.body).toMatchObject({ blocks: [], tools: [], tags: [], memory: { blocks: [] } })
    const some = await server.request<AgentWire>('GET', `/v1/agents/${agent.id}/?include=agent.tags`)
    expect(some.body).toMatchObject({ blocks: [], tags: ['x'] })
  })

  it('answers 422 to a malformed id and 404 to an unknown one', async () => {
    const malformed = await server.request<ErrorBody>('GET', '/v1/agents/agent-1')
    expect(malformed.status).toBe(422)
    expect(malformed.body.detail).toContain("String should match pattern 'agent-{uuid4}'")
    expect((await server.request('GET', `/v1/agents/agent-${UNKNOWN}`)).status).toBe(404)
  })

  it("does not see another organisation's agent, by any operation", async () => {
    const { body: agent } = await create({ memory_blocks: [memoryBlock('human')] })
    await server.context.db.execute(`
      insert into organizations (id, name) values ('org-other', 'other') on conflict do nothing;
      insert into agents (organization_id, id, name, agent_type, system, model) values
        ('org-other', 'agent-${UNKNOWN}', 'theirs', 'letta_v1_agent', '', 'openai/gpt-4o-mini') on conflict do nothing;`)
    const theirs = `/v1/agents/agent-${UNKNOWN}`
    const block = agent.blocks[0]?.id
    const tool = agent.tools[0]?.id
    for (const [method, path] of [
      ['GET', ''],
      ['PATCH', ''],
      ['DELETE', ''],
      ['GET', '/core-memory'],
      ['GET', '/core-memory/blocks'],
      ['GET', '/core-memory/blocks/human'],
      ['PATCH', '/core-memory/blocks/human'],
      ['PATCH', `/core-memory/blocks/attach/${block}`],
      ['PATCH', `/core-memory/blocks/detach/${block}`],
      ['GET', '/tools'],
      ['PATCH', `/tools/attach/${tool}`],
      ['PATCH', `/tools/detach/${tool}`],
      ['PATCH', '/tools/approval/memory_insert?requires_approval=true'],
    ] as const) {
      const { status } = await server.request(method, theirs + path, method === 'PATCH' ? {} : undefined)
      expect([method, path, status]).toEqual([method, path, 404])
    }
    const list = await server.request<AgentWire[]>('GET', '/v1/agents/?name=theirs')
    expect(list.body).toEqual([])
  })
})

describe('list_agents', () => {
  const ids: string[] = []
  beforeAll(async () => {
    for (let i = 0; i < 5; i++) {
      const tags = i % 2 === 0 ? ['list', 'even'] : ['list']
      ids.push((await create({ name: `Listed ${i}`, tags, memory_blocks: [memoryBlock('human')] })).body.id)
    }
  })
  const list = async (query: string) =>
    (await server.request<AgentWire[]>('GET', `/v1/agents/?tags=list&${query}`)).body.map((agent) => agent.id)

  it('pages in both directions and both orders', async () => {
    expect(await list('')).toEqual(ids.toReversed())
    expect(await list('order=asc')).toEqual(ids)
    expect(await list(`limit=2&after=${ids[3]}`)).toEqual([ids[2], ids[1]])
    expect(await list(`limit=2&before=${ids[1]}`)).toEqual([ids[3], ids[2]])
    expect(await list(`limit=2&order=asc&after=${ids[1]}`)).toEqual([ids[2], ids[3]])
    expect(await list(`limit=2&order=asc&before=${ids[3]}`)).toEqual([ids[1], ids[2]])
    expect(await list(`after=agent-${UNKNOWN}`)).toEqual(ids.toReversed())
    expect(await list('ascending=true&sort_by=updated_at')).toEqual(ids)
    const sorted = [...ids].sort()
    expect(await list('order_by=last_run_completion&order=asc')).toEqual(sorted)
    expect(await list(`order_by=last_run_completion&order=asc&after=${sorted[3]}`)).toEqual([sorted[4]])
  })

  it('filters', async () => {
    expect(await list('tags=even&match_all_tags=true')).toEqual([ids[4], ids[2], ids[0]])
    expect(await list('tags=even')).toHaveLength(5)
    expect(await list('name=Listed%203')).toEqual([ids[3]])
    expect(await list('query_text=LISTED%204')).toEqual([ids[4]])
    expect(await list('query_text=%25')).toEqual([])
    expect(await list('last_stop_reason=error')).toEqual([])
    expect(await list(`identity_id=identity-${UNKNOWN}`)).toEqual([])
    expect(await list('template_id=x')).toEqual([])
  })

  it('takes at most 4 statements, with relations and a cursor', async () => {
    statements = []
    const { body } = await server.request<AgentWire[]>(
      'GET',
      `/v1/agents/?tags=list&include=agent.blocks&include=agent.tools&include=agent.tags&before=${ids[0]}&limit=50`,
    )
    expect(statements.length, statements.join()).toBeLessThanOrEqual(4)
    expect(body).toHaveLength(4)
    expect(body.every((agent) => agent.blocks.length === 1 && agent.tools.length === 3)).toBe(true)
  })

  it('answers 422 to what it cannot read', async () => {
    for (const query of ['limit=0', 'limit=x', 'order=up', 'order_by=name', 'include=agent.pets', 'limit=1&limit=2']) {
      expect([query, (await server.request('GET', `/v1/agents/?${query}`)).status]).toEqual([query, 422])
    }
  })

  it('counts', async () => {
    const { body } = await server.request<number>('GET', '/v1/agents/count')
    expect(body).toBeGreaterThanOrEqual(5)
  })
})

describe('modify_agent', () => {
  const patch = (id: string, body: object) => server.request<AgentWire>('PATCH', `/v1/agents/${id}`, body)

  it('changes what is sent, clears what is null, and leaves the rest', async () => {
    const { body: agent } = await create({
      description: 'd',
      metadata: { a: 1 },
      tags: ['x'],
      hidden: true,
      context_window_limit: 8000,
      model_settings: { provider_type: 'openai', temperature: 0.2 },
    })
    const { body } = await patch(agent.id, {
      name: 'New name',
      description: null,
      hidden: null,
      context_window_limit: null,
      tags: ['y'],
      tool_ids: [],
      model_settings: { provider_type: 'openai', max_output_tokens: 100 },
      system: null,
      timezone: 'Asia/Tokyo',
    })
    expect(body).toMatchObject({
      name: 'New name',
      description: null,
      hidden: null,
      tags: ['y'],
      tools: [],
      metadata: { a: 1 },
      system: agent.system,
      timezone: 'Asia/Tokyo',
      model_settings: { temperature: 0.2, max_output_tokens: 100 },
    })
    expect(body.llm_config.context_window).toBe(128_000)
    expect(Date.parse(body.updated_at)).toBeGreaterThanOrEqual(Date.parse(agent.updated_at))
  })

  it('keeps only common settings when the provider changes', async () => {
    const { body: agent } = await create({
      model_settings: { provider_type: 'openai', temperature: 0.2, reasoning: { reasoning_effort: 'high' } },
    })
    const { body } = await patch(agent.id, { model: 'anthropic/claude-haiku-4-5' })
    expect(body.model_settings).toMatchObject({ provider_type: 'anthropic', temperature: 0.2 })
    expect(body.model_settings).not.toHaveProperty('reasoning')
  })

  it('replaces blocks, also where a label moves to another block', async () => {
    const { body: agent } = await create({ memory_blocks: [memoryBlock('human', 'old')] })
    const { body: block } = await server.request('POST', '/v1/blocks/', memoryBlock('human', 'new'))
    const { body } = await patch(agent.id, { block_ids: [block.id] })
    expect(body.blocks.map(({ value }) => value)).toEqual(['new'])
  })

  it('answers errors and changes nothing', async () => {
    const { body: agent } = await create({ name: 'Stable' })
    expect((await patch(agent.id, { name: 'a/b' })).status).toBe(422)
    expect((await patch(agent.id, { name: 'x', model: 'openai/none' })).status).toBe(404)
    expect((await patch(agent.id, { name: 'x', tool_ids: [`tool-${UNKNOWN}`] })).status).toBe(404)
    expect((await patch(agent.id, { name: 'x', context_window_limit: 500_000 })).status).toBe(400)
    expect((await patch(agent.id, { name: 'x', identity_ids: [`identity-${UNKNOWN}`] })).status).toBe(404)
    expect((await server.request<AgentWire>('GET', `/v1/agents/${agent.id}`)).body.name).toBe('Stable')
  })
})

describe('delete_agent', () => {
  it('deletes the agent and its history; blocks stay', async () => {
    const { body: agent } = await create({ memory_blocks: [memoryBlock('human')], tags: ['gone'] })
    const { body } = await server.request('DELETE', `/v1/agents/${agent.id}`)
    expect(body).toEqual({ message: `Agent id=${agent.id} successfully deleted` })
    expect((await server.request('GET', `/v1/agents/${agent.id}`)).status).toBe(404)
    expect((await server.request('DELETE', `/v1/agents/${agent.id}`)).status).toBe(404)
    expect((await server.request('GET', `/v1/blocks/${agent.blocks[0]?.id}`)).status).toBe(200)
    const [left] = await server.context.db.query<{ count: number }>(
      {
        name: 'test-left',
        text: `select (select count(*) from messages where agent_id = $1) + (select count(*) from conversations where agent_id = $1)
          + (select count(*) from agent_tags where agent_id = $1) as count`,
      },
      [agent.id],
    )
    expect(left?.count).toBe(0)
  })
})

describe('core memory', () => {
  it('is read, changed by label and renamed', async () => {
    const { body: agent } = await create({ memory_blocks: [memoryBlock('human', 'a'), memoryBlock('notes/x', 'n')] })
    const base = `/v1/agents/${agent.id}/core-memory`
    expect((await server.request<AgentWire['memory']>('GET', base)).body.blocks.map((b) => b.value)).toEqual(['a', 'n'])
    expect((await server.request<unknown[]>('GET', `${base}/blocks`)).body).toHaveLength(2)
    expect((await server.request('GET', `${base}/blocks/notes%2Fx`)).body.value).toBe('n')
    const changed = await server.request('PATCH', `${base}/blocks/human`, { value: 'b', label: 'person' })
    expect(changed.body).toMatchObject({ value: 'b', label: 'person' })
    expect((await server.request('GET', `${base}/blocks/human`)).status).toBe(404)
    expect((await server.request('GET', `${base}/blocks/person`)).body.value).toBe('b')
    expect((await server.request('PATCH', `${base}/blocks/person`, { value: 'long', limit: 2 })).status).toBe(422)
    expect((await server.request('PATCH', `${base}/blocks/person`, { label: 'notes/x' })).status).toBe(409)
  })

  it('takes and gives up blocks', async () => {
    const { body: agent } = await create({ memory_blocks: [memoryBlock('human')] })
    const { body: block } = await server.request('POST', '/v1/blocks/', memoryBlock('extra', 'e'))
    const { body: rival } = await server.request('POST', '/v1/blocks/', memoryBlock('human', 'h'))
    const base = `/v1/agents/${agent.id}/core-memory/blocks`
    const labels = ({ body }: { body: AgentWire }) => body.blocks.map(({ label }) => label)
    expect(labels(await server.request<AgentWire>('PATCH', `${base}/attach/${block.id}`))).toEqual(['human', 'extra'])
    expect((await server.request('PATCH', `${base}/attach/${block.id}`)).status).toBe(200)
    expect((await server.request('PATCH', `${base}/attach/${rival.id}`)).status).toBe(409)
    expect((await server.request('PATCH', `${base}/attach/block-${UNKNOWN}`)).status).toBe(404)
    expect(labels(await server.request<AgentWire>('PATCH', `${base}/detach/${block.id}`))).toEqual(['human'])
    expect((await server.request('PATCH', `${base}/detach/${block.id}`)).status).toBe(404)
  })
})

describe('tools of an agent', () => {
  it('are listed, attached, detached and made to wait for approval', async () => {
    const { body: agent } = await create({ include_base_tools: false })
    const tools = await server.request<{ id: string; name: string }[]>('GET', '/v1/tools/?name=memory_rethink')
    const tool = tools.body[0]?.id
    const base = `/v1/agents/${agent.id}/tools`
    const names = async () => (await server.request<{ name: string }[]>('GET', base)).body.map(({ name }) => name)
    expect(await names()).toEqual([])
    for (let i = 0; i < 2; i++) expect((await server.request('PATCH', `${base}/attach/${tool}`)).body).toBeNull()
    expect(await names()).toEqual(['memory_rethink'])
    const rules = async () => (await server.request<AgentWire>('GET', `/v1/agents/${agent.id}`)).body.tool_rules
    const approve = (body?: object, query = '') =>
      server.request('PATCH', `${base}/approval/memory_rethink${query}`, body)
    expect((await approve({ requires_approval: true })).body).toBeNull()
    await approve(undefined, '?requires_approval=true')
    expect(await rules()).toEqual([{ tool_name: 'memory_rethink', type: 'requires_approval', prompt_template: null }])
    await approve({ requires_approval: false })
    expect(await rules()).toEqual([])
    const nothing = { 'content-type': 'application/json' }
    const path = `${base}/approval/memory_rethink`
    expect((await server.request('PATCH', `${path}?requires_approval=false`, 'null', nothing)).status).toBe(200)
    expect((await server.request('PATCH', path, 'null', nothing)).status).toBe(422)
    expect((await approve({})).status).toBe(422)
    expect((await approve({ requires_approval: true, more: 1 })).status).toBe(422)
    for (let i = 0; i < 2; i++) expect((await server.request('PATCH', `${base}/detach/${tool}`)).status).toBe(200)
    expect(await names()).toEqual([])
    expect((await server.request('PATCH', `${base}/attach/tool-${UNKNOWN}`)).status).toBe(404)
  })
})

it('is exported with skills, or with a body of null', async () => {
  const { body: agent } = await create()
  const path = `/v1/agents/${agent.id}/export`
  const skillsOf = async (payload: unknown) => {
    const response = await server.request('POST', path, payload as object, { 'content-type': 'application/json' })
    expect(response.status).toBe(200)
    return JSON.parse(response.body as unknown as string).skills
  }
  expect(await skillsOf('null')).toEqual([])
  expect(await skillsOf({ skills: [{ name: 'knots' }] })).toEqual([{ name: 'knots' }])
})

describe('the official client', () => {
  it('creates, reads, changes, lists and deletes agents', async () => {
    const client = await server.sdk()
    const agent = await client.agents.create({
      model: MODEL,
      memory_blocks: [{ label: 'human', value: 'Nils' }],
      tags: ['sdk'],
    })
    expect((await client.agents.retrieve(agent.id, { include: ['agent.blocks'] })).blocks[0]?.value).toBe('Nils')
    expect((await client.agents.blocks.retrieve('human', { agent_id: agent.id })).value).toBe('Nils')
    await client.agents.update(agent.id, { description: 'sails' })
    const listed = []
    for await (const item of client.agents.list({ tags: ['sdk', 'list'], limit: 2 })) listed.push(item.id)
    expect(listed).toHaveLength(6)
    const [tool] = (await client.agents.tools.list(agent.id)).items
    expect(await client.agents.tools.detach(tool?.id ?? '', { agent_id: agent.id })).toBeNull()
    await client.agents.delete(agent.id)
    await expect(client.agents.retrieve(agent.id)).rejects.toMatchObject({ status: 404 })
  })
})
