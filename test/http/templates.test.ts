import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { newId } from '#platform/ids.ts'
import { statement } from '#store/db.ts'
import { startTestServer, type TestServer } from '../support/test-server.ts'

interface Template {
  id: string
  name: string
  project_id: string
  project_slug: string
  latest_version: string
  template_deployment_slug: string
  updated_at: string
  description?: string
}
interface Agent {
  id: string
  name: string
  system: string
  tags: string[]
  blocks: { id: string; label: string; value: string; limit: number; entity_id: string; deployment_id: string }[]
  tools: { name: string }[]
  [field: string]: unknown
}
interface Made {
  agent_ids: string[]
  group_id: string | null
  deployment_id: string
}
interface Snapshot {
  agents: { entityId: string; systemPrompt: string; memoryVariables: { data: { key: string }[] } }[]
  blocks: { entityId: string; label: string; value: string }[]
  [field: string]: unknown
}

const MODEL = 'openai/gpt-4o-mini'
let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.close())

const BLOCKS = [
  { label: 'human', value: 'Name: {{name}}, from {{ city }}', limit: 60, tags: ['b'] },
  { label: 'persona', value: 'I am Ada.', read_only: true },
]
async function newAgent(body: object = {}): Promise<Agent> {
  const full = {
    model: MODEL,
    system: 'Be kind.',
    tags: ['t'],
    description: 'Of Ada',
    memory_blocks: BLOCKS,
    tools: ['archival_memory_insert'],
    tool_rules: [{ type: 'exit_loop', tool_name: 'archival_memory_insert' }],
    model_settings: { provider_type: 'openai', temperature: 0.3 },
    ...body,
  }
  const response = await server.request<Agent>('POST', '/v1/agents', full)
  expect(response.status, JSON.stringify(response.body)).toBe(200)
  return response.body
}
const readAgent = async (id: string) =>
  (
    await server.request<Agent>(
      'GET',
      `/v1/agents/${id}?include=agent.blocks&include=agent.tools&include=agent.tags&include=agent.identities`,
    )
  ).body

let count = 0
async function newTemplate(body: object = {}, agent: object = {}): Promise<Template> {
  count += 1
  const source = { type: 'agent', agent_id: (await newAgent(agent)).id, name: `template-${count}` }
  const response = await server.request<Template>('POST', '/v1/templates', { ...source, ...body })
  expect(response.status, JSON.stringify(response.body)).toBe(201)
  return response.body
}
async function make(address: string, body: object = {}): Promise<Made> {
  const response = await server.request<Made>('POST', `/v1/templates/${encodeURIComponent(address)}/agents`, body)
  expect(response.status, JSON.stringify(response.body)).toBe(201)
  return response.body
}
const snapshotOf = async (name: string, version: string) =>
  (await server.request<Snapshot>('GET', `/v1/templates/default-project/${name}:${version}/snapshot`)).body
const save = async (name: string, body: object = {}) =>
  (await server.request<Template>('POST', `/v1/templates/${name}/save`, body)).body
const versionsOf = async (name: string, query = '') =>
  (
    await server.request<{
      versions: { version: string; message?: string; is_latest: boolean }[]
      total_count: number
    }>('GET', `/v1/templates/default-project/${name}/versions?${query}`)
  ).body

/** As V1 exports it. */
const agentFile = (
  change: object = {},
  blocks: object[] = [{ id: 'block-0', label: 'human', value: 'File', limit: 50 }],
) => ({
  agents: [
    {
      id: 'agent-0',
      name: 'filed',
      system: 'From a file.',
      agent_type: 'letta_v1_agent',
      llm_config: { handle: MODEL, context_window: 8000 },
      block_ids: blocks.map((_, index) => `block-${index}`),
      tool_ids: ['tool-0'],
      tags: ['f'],
      ...change,
    },
  ],
  blocks: blocks.map((block, index) => ({ id: `block-${index}`, ...block })),
  tools: [{ id: 'tool-0', name: 'conversation_search' }],
  groups: [],
  created_at: '2026-01-01T00:00:00Z',
})

describe('making templates', () => {
  test('of an agent: with a first version of what it has', async () => {
    const template = await newTemplate({ name: 'of_an-Agent1' })
    expect(template).toEqual({
      id: expect.stringMatching(/^template-/),
      name: 'of_an-Agent1',
      project_id: expect.stringMatching(/^project-/),
      project_slug: 'default-project',
      latest_version: '1',
      description: 'Of Ada',
      template_deployment_slug: 'default-project/of_an-Agent1:1',
      updated_at: expect.any(String),
    })
    const snapshot = await snapshotOf(template.name, '1')
    expect(snapshot).toMatchObject({
      version: '1',
      type: 'classic',
      agents: [
        {
          model: MODEL,
          systemPrompt: 'Be kind.',
          tags: ['t'],
          toolRules: [{ type: 'exit_loop', tool_name: 'archival_memory_insert' }],
          memoryVariables: {
            version: '1',
            data: [
              { key: 'name', type: 'string' },
              { key: 'city', type: 'string' },
            ],
          },
          properties: { temperature: 0.3, context_window_limit: null },
        },
      ],
      blocks: [
        { label: 'human', limit: 60, readOnly: false },
        { label: 'persona', readOnly: true },
      ],
    })
    expect(snapshot.relationships).toHaveLength(2)
    expect(await snapshotOf(template.name, 'current')).toEqual({ ...snapshot, version: 'current' })
    expect(await snapshotOf(template.name, 'latest')).toEqual(snapshot)
    expect((await versionsOf(template.name)).versions).toEqual([
      { version: '1', created_at: expect.any(String), is_latest: true },
    ])
  })

  test('of an agent file', async () => {
    const template = await newTemplate({ type: 'agent_file', agent_file: agentFile() })
    const { agent_ids } = await make(template.name)
    const agent = await readAgent(agent_ids[0] ?? '')
    expect(agent).toMatchObject({ system: 'From a file.', model: MODEL, tags: ['f'] })
    expect(agent.blocks).toMatchObject([{ label: 'human', value: 'File', limit: 50 }])
    expect(agent.tools.map(({ name }) => name)).toEqual(['conversation_search'])
  })

  test.each<[string, number, object]>([
    ['an unknown agent', 404, { agent_id: newId('agent') }],
    ['a malformed agent', 422, { agent_id: 'x' }],
    ['an unknown type', 422, { type: 'cat' }],
    ['a bad name', 400, { name: 'a b' }],
    ['a file without agents', 400, { type: 'agent_file', agent_file: {} }],
    ['a file of two agents', 400, { type: 'agent_file', agent_file: { agents: [{}, {}] } }],
    ['a file without model', 400, { type: 'agent_file', agent_file: agentFile({ llm_config: {} }) }],
    ['a file with an unknown type', 400, { type: 'agent_file', agent_file: agentFile({ agent_type: 'cat' }) }],
    ['a file whose block is missing', 400, { type: 'agent_file', agent_file: agentFile({ block_ids: ['block-9'] }) }],
    ['a file whose tool is missing', 400, { type: 'agent_file', agent_file: agentFile({ tool_ids: ['tool-9'] }) }],
    [
      'a file with a tool that the server has not',
      400,
      { type: 'agent_file', agent_file: agentFile({ tools: ['none'] }) },
    ],
    [
      'a file with a value over its limit',
      422,
      { type: 'agent_file', agent_file: agentFile({}, [{ label: 'a', value: 'abc', limit: 2 }]) },
    ],
    ['a change of tools', 400, { type: 'agent_file', agent_file: agentFile(), update_existing_tools: true }],
    ['a text for a file', 422, { type: 'agent_file', agent_file: 'x' }],
  ])('%s is refused', async (_, status, body) => {
    const full = { type: 'agent', agent_id: (await newAgent()).id, name: 'refused', ...body }
    const response = await server.request('POST', '/v1/templates', full)
    expect(response.status, JSON.stringify(response.body)).toBe(status)
    expect((await server.request('GET', '/v1/templates?name=refused')).body.templates).toEqual([])
  })

  test('a name stands once in a project, and is made up where there is none', async () => {
    const template = await newTemplate()
    const agent_id = (await newAgent()).id
    const again = { type: 'agent', agent_id, name: template.name }
    expect((await server.request('POST', '/v1/templates', again)).status).toBe(409)
    const project = (await server.request<{ id: string; slug: string }>('POST', '/v1/projects', { name: 'Other' })).body
    const elsewhere = await server.request<Template>('POST', `/v1/templates/${project.id}`, again)
    expect(elsewhere.body).toMatchObject({ name: template.name, project_id: project.id, project_slug: project.slug })
    const byHeader = await server.request('POST', '/v1/templates', again, { 'x-project': project.slug })
    expect(byHeader.status).toBe(409)
    const unnamed = await server.request<Template>('POST', '/v1/templates', { type: 'agent', agent_id })
    expect(unnamed.body.name).toMatch(/^[a-z0-9-]+$/)
    expect((await server.request('POST', '/v1/templates/nowhere', again)).status).toBe(404)
    // with its project a template goes; its agents stay
    const [made] = (await server.request<Made>('POST', `/v1/templates/${project.slug}/${template.name}/agents`, {}))
      .body.agent_ids
    await server.request('DELETE', `/v1/projects/${project.id}`)
    expect((await server.request('GET', `/v1/templates?project_id=${project.id}`)).body.templates).toEqual([])
    expect((await readAgent(made ?? '')).project_id).toBe(project.id)
  })
})

describe('making agents', () => {
  test('variables, tags, identities, first messages, and where it comes from', async () => {
    const template = await newTemplate()
    const identity = await server.request<{ id: string }>('POST', '/v1/identities', {
      identifier_key: crypto.randomUUID(),
      name: 'Ann',
      identity_type: 'user',
    })
    const made = await make(`${template.name}:1`, {
      agent_name: 'Bob',
      tags: ['more', 't'],
      identity_ids: [identity.body.id],
      memory_variables: { name: '{{city}}$&', other: 'x' },
      initial_message_sequence: [{ role: 'user', content: 'First words' }],
    })
    expect(made.group_id).toBeNull()
    expect(made.deployment_id).toMatch(/^deployment-/)
    const [id = ''] = made.agent_ids
    const agent = await readAgent(id)
    expect(agent).toMatchObject({
      name: 'Bob',
      system: 'Be kind.',
      model: MODEL,
      tags: ['more', 't'],
      base_template_id: template.id,
      deployment_id: made.deployment_id,
      project_id: template.project_id,
      identity_ids: [identity.body.id],
      tool_rules: [{ type: 'exit_loop', tool_name: 'archival_memory_insert' }],
    })
    expect(agent.template_id).toMatch(/^template-/)
    expect(agent.template_id).not.toBe(template.id)
    // one pass: what a value brings is text, and what has no value stays to be seen
    expect(agent.blocks.map(({ value }) => value)).toEqual(['Name: {{city}}$&, from {{ city }}', 'I am Ada.'])
    const snapshot = await snapshotOf(template.name, '1')
    expect(agent.entity_id).toBe(snapshot.agents[0]?.entityId)
    expect(agent.blocks.map(({ entity_id }) => entity_id)).toEqual(snapshot.blocks.map(({ entityId }) => entityId))
    expect(agent.blocks.every(({ deployment_id }) => deployment_id === made.deployment_id)).toBe(true)
    expect(agent.tools.map(({ name }) => name).sort()).toEqual(
      ['archival_memory_insert', 'conversation_search', 'memory_insert', 'memory_replace'].sort(),
    )
    const said = await server.request<{ content: string }[]>('GET', `/v1/agents/${id}/messages`)
    expect(JSON.stringify(said.body)).toContain('First words')
    for (const query of [`template_id=${agent.template_id}`, `base_template_id=${template.id}`]) {
      const found = await server.request<Agent[]>('GET', `/v1/agents?${query}`)
      expect(found.body.map((one) => one.id)).toEqual([id])
    }
  })

  test('each has blocks of its own, and a name that is made up', async () => {
    const template = await newTemplate()
    const [one, two] = await Promise.all([make(template.name), make(`${template.name}:latest`)])
    const agents = await Promise.all([readAgent(one.agent_ids[0] ?? ''), readAgent(two.agent_ids[0] ?? '')])
    expect(agents[0].blocks[0]?.id).not.toBe(agents[1].blocks[0]?.id)
    expect(agents[0].name).not.toBe(agents[1].name)
    expect(one.deployment_id).not.toBe(two.deployment_id)
  })

  test.each(['1', 'latest', 'current', 'dev'])('by every kind of address: version %s', async (version) => {
    const { name } = await newTemplate()
    await make(`${name}:${version}`)
    await make(`default-project/${name}:${version}`)
    const inProject = `/v1/templates/default-project/${name}:${version}/agents`
    expect((await server.request('POST', inProject, {})).status).toBe(201)
  })

  test('with a sleeptime agent where the pattern has one', async () => {
    const template = await newTemplate({}, { enable_sleeptime: true, tools: [], tool_rules: [] })
    expect(await snapshotOf(template.name, '1')).toMatchObject({ type: 'sleeptime' })
    const made = await make(template.name)
    const group = await server.request('GET', `/v1/groups/${made.group_id}`)
    expect(group.body).toMatchObject({
      manager_agent_id: made.agent_ids[0],
      base_template_id: template.id,
      deployment_id: made.deployment_id,
    })
  })

  test.each<[string, number, string, object]>([
    ['an unknown template', 404, 'none', {}],
    ['an unknown version', 404, ':7', {}],
    ['a version that is none', 400, ':x', {}],
    ['an address that is none', 404, ':1:2', {}],
    ['tool variables', 400, '', { tool_variables: { A: 'b' } }],
    ['an unknown identity', 404, '', { identity_ids: [newId('identity')] }],
    ['a bad name', 422, '', { agent_name: 'a/b' }],
    ['a number as variable', 422, '', { memory_variables: { name: 1 } }],
    ['a value that is too long with its variable', 422, '', { memory_variables: { name: 'x'.repeat(60) } }],
  ])('%s is refused and leaves nothing', async (_, status, address, body) => {
    const { name } = await newTemplate()
    const url = address === 'none' ? 'none' : encodeURIComponent(`${name}${address}`)
    const rows = statement(
      'test-count-rows',
      'select (select count(*) from agents) + (select count(*) from blocks) + (select count(*) from template_deployments) as count',
    )
    const before = await server.context.db.query(rows)
    expect((await server.request('POST', `/v1/templates/${url}/agents`, body)).status).toBe(status)
    expect(await server.context.db.query(rows)).toEqual(before)
  })
})

describe('versions', () => {
  test('update changes the version under work, save makes the next one, rollback goes back', async () => {
    const { name } = await newTemplate()
    const first = await snapshotOf(name, '1')
    const patch = (body: object) => server.request('PATCH', `/v1/templates/${name}`, body)
    expect((await patch({ agent_file_json: agentFile() })).body).toMatchObject({ success: true })
    expect((await snapshotOf(name, 'latest')).agents[0]?.systemPrompt).toBe('Be kind.')
    const current = await snapshotOf(name, 'current')
    expect(current.agents[0]).toMatchObject({ systemPrompt: 'From a file.', entityId: first.agents[0]?.entityId })
    expect(current.blocks).toMatchObject([{ label: 'human', value: 'File', entityId: first.blocks[0]?.entityId }])

    const saved = await save(name, { message: 'Second' })
    expect(saved).toMatchObject({ latest_version: '2', template_deployment_slug: `default-project/${name}:2` })
    expect(await snapshotOf(name, '2')).toEqual({ ...current, version: '2' })
    // nothing has changed since: a rollback saves nothing
    const back = await server.request('POST', `/v1/templates/${name}/rollback`, { version: '1' })
    expect(back.body).toMatchObject({ success: true })
    expect(await snapshotOf(name, 'current')).toEqual({ ...first, version: 'current' })
    expect((await versionsOf(name)).total_count).toBe(2)

    await patch({ agent_file_json: agentFile({ system: 'Third.' }) })
    await server.request('POST', `/v1/templates/${name}/rollback`, { version: 'latest' })
    expect((await snapshotOf(name, 'current')).agents[0]?.systemPrompt).toBe('From a file.')
    expect((await snapshotOf(name, '3')).agents[0]?.systemPrompt).toBe('Third.')
    const { versions } = await versionsOf(name)
    expect(versions.map(({ version, message, is_latest }) => [version, message, is_latest])).toEqual([
      ['3', 'Saved before the rollback to version 2', true],
      ['2', 'Second', false],
      ['1', undefined, false],
    ])
    expect((await versionsOf(name, 'limit=1&offset=1')).versions.map(({ version }) => version)).toEqual(['2'])
    await patch({ agent_file_json: agentFile({ system: 'Fourth.' }), save_existing_changes: true })
    expect((await versionsOf(name)).total_count).toBe(3)
    await patch({ agent_file_json: agentFile({ system: 'Fifth.' }), save_existing_changes: true })
    expect((await snapshotOf(name, '4')).agents[0]?.systemPrompt).toBe('Fourth.')
  })

  test('two that save at once make two versions', async () => {
    const { name } = await newTemplate()
    const saved = await Promise.all([save(name), save(name), save(name)])
    expect(saved.every((template) => template.name === name)).toBe(true)
    expect((await versionsOf(name)).versions.map(({ version }) => version)).toEqual(['4', '3', '2', '1'])
  })

  test.each([
    [404, { version: '9' }],
    [400, { version: 'current' }],
    [400, { version: 'dev' }],
    [400, { version: '-1' }],
    [422, { version: 1 }],
    [422, {}],
  ])('rollback answers %i to %j', async (status, body) => {
    const { name } = await newTemplate()
    expect((await server.request('POST', `/v1/templates/${name}/rollback`, body)).status).toBe(status)
  })

  test('the same by project: update, save, rollback, delete', async () => {
    const { name } = await newTemplate()
    const url = `/v1/templates/default-project/${name}`
    expect((await server.request('PUT', `${url}/agent-file`, { agent_file_json: agentFile() })).status).toBe(200)
    expect((await server.request<Template>('POST', url, {})).body.latest_version).toBe('2')
    expect((await server.request('POST', `${url}/rollback`, { version: '1' })).body.success).toBe(true)
    expect((await server.request('DELETE', url)).body).toEqual({ success: true })
    expect((await server.request('DELETE', url)).status).toBe(404)
  })

  test('fork, rename, describe, list', async () => {
    const { name, id } = await newTemplate()
    await server.request('PATCH', `/v1/templates/${name}`, { agent_file_json: agentFile() })
    const url = `/v1/templates/default-project/${name}`
    const forked = await server.request<Template>('POST', `${url}:current/fork`, { name: `${name}-fork` })
    expect(forked.body).toMatchObject({ name: `${name}-fork`, latest_version: '1' })
    expect((await snapshotOf(`${name}-fork`, '1')).agents[0]?.systemPrompt).toBe('From a file.')
    expect((await server.request('PATCH', `${url}/description`, { description: 'New' })).body).toEqual({
      success: true,
    })
    expect((await server.request('PATCH', `${url}/name`, { new_name: `${name}-fork` })).status).toBe(409)
    expect((await server.request('PATCH', `${url}/name`, { new_name: 'a b' })).status).toBe(400)
    expect((await server.request('PATCH', `${url}:1/name`, { new_name: `${name}-new` })).body).toEqual({
      success: true,
    })
    expect((await server.request('GET', `${url}/versions`)).status).toBe(404)
    const list = async (query: string) =>
      (await server.request<{ templates: Template[]; has_next_page: boolean }>('GET', `/v1/templates?${query}`)).body
    const renamed = (await list(`template_id=${id}`)).templates
    expect(renamed).toMatchObject([{ id, name: `${name}-new`, description: 'New' }])
    const names = (found: { templates: Template[] }) => found.templates.map((template) => template.name)
    expect(names(await list(`search=${name}-`))).toEqual([`${name}-new`, `${name}-fork`])
    expect(await list(`search=${name}-&limit=1&sort_by=created_at`)).toMatchObject({
      templates: [{ name: `${name}-fork` }],
      has_next_page: true,
    })
    expect(names(await list(`name=${name}-f`))).toEqual([`${name}-fork`])
    expect(names(await list(`name=${name}-f&exact=true`))).toEqual([])
    expect(names(await list('project_slug=none'))).toEqual([])
    await server.request('PATCH', `/v1/templates/default-project/${name}-new/description`, {})
    expect((await list(`template_id=${id}`)).templates[0]?.description).toBeUndefined()
  })
})

describe('migration', () => {
  const file = agentFile({ system: 'New.', tool_ids: [] }, [
    { label: 'human', value: 'Hello {{name}}', limit: 90 },
    { label: 'plan', value: 'For {{name}}' },
  ])

  test('brings agents to a version: settings, tools and blocks, with the variables that they were made with', async () => {
    const { name } = await newTemplate()
    const made = await make(name, { memory_variables: { name: 'Ann' }, tags: ['own'] })
    const [id = ''] = made.agent_ids
    const before = await readAgent(id)
    await server.request('PATCH', `/v1/agents/${id}`, { tags: ['own', 'later'] })
    await server.request('PATCH', `/v1/templates/${name}`, { agent_file_json: file })
    await save(name)
    const url = `/v1/templates/default-project/${name}/deployments/${made.deployment_id}/migrate`
    const migrated = await server.request('POST', url, { version: '2' })
    expect(migrated.body).toMatchObject({ success: true })
    const after = await readAgent(id)
    expect(after).toMatchObject({ name: before.name, system: 'New.', tags: ['later', 'own'], tools: [] })
    expect(after.template_id).not.toBe(before.template_id)
    expect(after.blocks.map(({ label, value }) => [label, value])).toEqual([
      ['human', 'Hello Ann'],
      ['persona', 'I am Ada.'],
      ['plan', 'For Ann'],
    ])
    expect(after.blocks[0]).toMatchObject({ id: before.blocks[0]?.id, limit: 90 })
    // doing it again changes nothing; going back keeps what the version does not have
    await server.request('POST', url, { version: 'latest' })
    expect((await readAgent(id)).blocks).toEqual(after.blocks)
    await server.request('POST', url, { version: '1', preserve_core_memories: true, memory_variables: { name: 'Bea' } })
    const back = await readAgent(id)
    expect(back.system).toBe('Be kind.')
    expect(back.blocks.map(({ value }) => value)).toEqual(['Hello Ann', 'I am Ada.', 'For Ann'])
    await server.request('POST', url, { version: '1' })
    expect((await readAgent(id)).blocks[0]?.value).toBe('Name: Bea, from {{ city }}')
  })

  test('save brings all of them along if asked, and deletes blocks if asked', async () => {
    const { name } = await newTemplate()
    const ids = (await Promise.all([make(name), make(name), make(name)])).map(({ agent_ids }) => agent_ids[0] ?? '')
    await server.request('PATCH', `/v1/templates/${name}`, { agent_file_json: file })
    const options = { migrate_agents: true, block_reconciliation_strategy: 'reconcile-all' }
    expect((await save(name, options)).latest_version).toBe('2')
    for (const id of ids) {
      const agent = await readAgent(id)
      expect(agent.system).toBe('New.')
      expect(agent.blocks.map(({ label }) => label)).toEqual(['human', 'plan'])
    }
  })

  test('leaves a block that is of another deployment to that one', async () => {
    const { name } = await newTemplate()
    const [mine, theirs] = [await make(name), await make(name, { memory_variables: { name: 'Bea' } })]
    const [id = '', other = ''] = [mine, theirs].map(({ agent_ids }) => agent_ids[0])
    const humanOf = async (agent: string) => (await readAgent(agent)).blocks.find(({ label }) => label === 'human')
    const [own, shared] = [await humanOf(id), await humanOf(other)]
    const change = (what: string) => server.request('PATCH', `/v1/agents/${id}/core-memory/blocks/${what}`)
    expect((await change(`detach/${own?.id}`)).status).toBe(200)
    expect((await change(`attach/${shared?.id}`)).status).toBe(200)
    await server.request('PATCH', `/v1/templates/${name}`, { agent_file_json: file })
    await save(name)
    const url = `/v1/templates/default-project/${name}/deployments/${mine.deployment_id}/migrate`
    expect((await server.request('POST', url, { version: 'latest' })).status).toBe(409)
    expect(await humanOf(other)).toEqual(shared)
  })

  test('unknown versions and deployments are refused', async () => {
    const one = await newTemplate()
    const two = await newTemplate()
    const made = await make(one.name)
    const ask = async (name: string, deployment: string, version: string) =>
      (
        await server.request('POST', `/v1/templates/default-project/${name}/deployments/${deployment}/migrate`, {
          version,
        })
      ).status
    expect(await ask(one.name, made.deployment_id, '9')).toBe(404)
    expect(await ask(one.name, made.deployment_id, 'x')).toBe(400)
    expect(await ask(two.name, made.deployment_id, '1')).toBe(404)
    expect(await ask(one.name, newId('deployment'), '1')).toBe(404)
    expect(await ask(one.name, 'x', '1')).toBe(422)
    expect(await ask(one.name, made.deployment_id, '1')).toBe(200)
  })
})

test.each<['GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE', string, object?]>([
  ['PATCH', '', { agent_file_json: agentFile() }],
  ['DELETE', ''],
  ['POST', '/save', {}],
  ['POST', '/rollback', { version: '1' }],
  ['POST', '/agents', {}],
  ['PUT', '/agent-file', { agent_file_json: agentFile() }],
  ['GET', '/versions'],
  ['GET', '/snapshot'],
  ['POST', '/fork', {}],
  ['PATCH', '/name', { new_name: 'taken-over' }],
  ['PATCH', '/description', { description: 'x' }],
])("another organisation's template is unknown: %s %s", async (method, rest, body) => {
  const { headers } = await server.addOrganization()
  const { name } = await newTemplate()
  const isShort = ['', '/save', '/rollback', '/agents'].includes(rest)
  const urls = [...(isShort ? [`/v1/templates/${name}${rest}`] : [`/v1/templates/default-project/${name}${rest}`])]
  for (const url of urls) {
    expect((await server.request(method, url, body, headers)).status, url).toBe(404)
    expect((await server.request(method, url.replace(name, 'none'), body)).status, url).toBe(404)
  }
  expect((await versionsOf(name)).total_count).toBe(1)
  const listed = await server.request('GET', '/v1/templates', undefined, headers)
  expect(listed.body).toEqual({ templates: [], has_next_page: false })
})
