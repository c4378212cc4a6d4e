import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { AgentWire } from '#http/v1/agents/agent-schema.ts'
import { DEFAULT_ORGANIZATION_ID } from '#platform/ids.ts'
import { statement } from '#store/db.ts'
import { startTestServer, type TestServer } from '../support/test-server.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.close())

const MODEL = 'openai/gpt-4o-mini'
const MASK = '********'

async function create(body: object): Promise<AgentWire> {
  const response = await server.request<AgentWire>('POST', '/v1/agents/', { model: MODEL, ...body })
  expect(response.status, JSON.stringify(response.body)).toBe(200)
  return response.body
}
const patch = (id: string, body: object) => server.request<AgentWire>('PATCH', `/v1/agents/${id}`, body)
const shown = (agent: AgentWire) => Object.fromEntries(agent.secrets.map(({ key, value }) => [key, value]))

const STORED = statement(
  'test-agent-secrets',
  'select key, sealed from agent_secrets where organization_id = $1 and agent_id = $2 order by key',
)

/** What lies in the database, opened by the server's key. */
async function stored(agentId: string): Promise<Record<string, string | null>> {
  const rows = await server.context.db.query<{ key: string; sealed: string | null }>(STORED, [
    DEFAULT_ORGANIZATION_ID,
    agentId,
  ])
  const owner = (key: string) => ({
    organizationId: DEFAULT_ORGANIZATION_ID,
    place: `agent_secrets ${agentId} ${key}`,
  })
  return Object.fromEntries(
    rows.map(({ key, sealed }) => [key, sealed === null ? null : server.context.secrets.open(sealed, owner(key))]),
  )
}

describe('secrets of an agent', () => {
  it('are sealed at rest and shown as stars', async () => {
    const agent = await create({ secrets: { B_KEY: 'hush-hush', A_KEY: '' } })
    expect(agent.secrets).toEqual([
      expect.objectContaining({ key: 'A_KEY', value: '', agent_id: agent.id, description: null }),
      expect.objectContaining({ key: 'B_KEY', value: MASK, id: expect.stringMatching(/^agent-env-[0-9a-f]{8}/) }),
    ])
    expect(agent.tool_exec_environment_variables).toEqual(agent.secrets)
    expect(JSON.stringify(agent)).not.toContain('hush')
    expect(await stored(agent.id)).toEqual({ A_KEY: null, B_KEY: 'hush-hush' })
    const raw = await server.context.db.query<{ sealed: string }>(STORED, [DEFAULT_ORGANIZATION_ID, agent.id])
    expect(JSON.stringify(raw)).not.toContain('hush')
  })

  it('are included on request only', async () => {
    const { id } = await create({ secrets: { KEY: 'x' } })
    const plain = await server.request<AgentWire>('GET', `/v1/agents/${id}`)
    expect([plain.body.secrets, plain.body.tool_exec_environment_variables]).toEqual([[], []])
    const included = await server.request<AgentWire>('GET', `/v1/agents/${id}?include=agent.secrets`)
    expect(shown(included.body)).toEqual({ KEY: MASK })
    const listed = await server.request<AgentWire[]>('GET', '/v1/agents?include=agent.secrets')
    expect(shown(listed.body.find((agent) => agent.id === id) as AgentWire)).toEqual({ KEY: MASK })
  })

  it('are replaced as a whole; absent leaves, null and {} clear, the mask keeps', async () => {
    const { id } = await create({ tool_exec_environment_variables: { OLD: 'one', KEPT: 'two' } })
    expect((await patch(id, { description: 'other' })).body.secrets).toHaveLength(2)
    const changed = await patch(id, { secrets: { KEPT: MASK, NEW: 'three' } })
    expect(shown(changed.body)).toEqual({ KEPT: MASK, NEW: MASK })
    expect(await stored(id)).toEqual({ KEPT: 'two', NEW: 'three' })
    await patch(id, { tool_exec_environment_variables: { KEPT: 'four' } })
    expect(await stored(id)).toEqual({ KEPT: 'four' })
    await patch(id, { secrets: null })
    expect(await stored(id)).toEqual({})
    await patch(id, { secrets: { A: 'a' }, tool_exec_environment_variables: { B: 'b' } })
    expect(await stored(id)).toEqual({ A: 'a' })
    await patch(id, { secrets: {} })
    expect(await stored(id)).toEqual({})
  })

  it.each([
    [422, { 'a b': 'x' }, /environment variable/],
    [422, { 'a=b': 'x' }, /environment variable/],
    [422, { '': 'x' }, /environment variable/],
    [422, { ['K'.repeat(257)]: 'x' }, /256 characters/],
    [422, { KEY: 'hush'.repeat(20_000) }, /more than 65536/],
    [422, { KEY: 1 }, /valid string/],
    [422, ['x'], /object/],
    [400, { KEY: MASK }, /is how the server shows a secret/],
  ])('%i for %j, and nothing is stored', async (status, secrets, detail) => {
    const name = `refused-${Math.random().toString(36).slice(2)}`
    const created = await server.request('POST', '/v1/agents/', { model: MODEL, name, secrets })
    expect([created.status, created.body.detail]).toEqual([status, expect.stringMatching(detail)])
    expect(JSON.stringify(created.body)).not.toContain('hush')
    expect((await server.request<AgentWire[]>('GET', `/v1/agents?name=${name}`)).body).toEqual([])
    const agent = await create({ secrets: { OTHER: 'before' } })
    const changed = await patch(agent.id, { description: 'no', secrets })
    expect(changed.status).toBe(status)
    expect(await stored(agent.id)).toEqual({ OTHER: 'before' })
  })

  it('are refused in words by a server without a key', async () => {
    const keyless = await startTestServer({ config: { encryptionKey: undefined, databaseUrl: 'postgresql://unused' } })
    try {
      const response = await keyless.request('POST', '/v1/agents/', { model: MODEL, secrets: { KEY: 'x' } })
      expect([response.status, response.body.detail]).toEqual([400, expect.stringContaining('PERDURE_ENCRYPTION_KEY')])
      expect((await keyless.request<AgentWire[]>('GET', '/v1/agents')).body).toEqual([])
    } finally {
      await keyless.close()
    }
  })

  it('go with the agent, and are no business of another organisation', async () => {
    const { id } = await create({ secrets: { KEY: 'x' } })
    const { headers } = await server.addOrganization()
    expect((await server.request('PATCH', `/v1/agents/${id}`, { secrets: {} }, headers)).status).toBe(404)
    expect(await stored(id)).toEqual({ KEY: 'x' })
    await server.request('DELETE', `/v1/agents/${id}`)
    expect(await stored(id)).toEqual({})
  })
})

describe('memory variables', () => {
  it('go into the values of the new blocks, and are kept', async () => {
    const agent = await create({
      memory_blocks: [{ label: 'human', value: 'Name: {{ name }}, {{other}}' }],
      memory_variables: { name: 'Ada' },
    })
    expect(agent.blocks[0]?.value).toBe('Name: Ada, {{other}}')
    const variables = await server.request('GET', `/v1/agents/${agent.id}/core-memory/variables`)
    expect([variables.status, variables.body]).toEqual([200, { variables: { name: 'Ada' } }])
  })

  it('are none where none were given; unknown, malformed and foreign agents have none', async () => {
    const { id } = await create({})
    const path = (agentId: string) => `/v1/agents/${agentId}/core-memory/variables`
    expect((await server.request('GET', path(id))).body).toEqual({ variables: {} })
    const unknown = await server.request('GET', path('agent-01234567-89ab-4def-8123-456789abcdef'))
    expect(unknown.status).toBe(404)
    expect((await server.request('GET', path('agent-1'))).status).toBe(422)
    const { headers } = await server.addOrganization()
    const foreign = await server.request('GET', path(id), undefined, headers)
    expect([foreign.status, foreign.body.detail]).toEqual([
      404,
      String(unknown.body.detail).replace('agent-01234567-89ab-4def-8123-456789abcdef', id),
    ])
  })

  it('a value that would break the block is refused', async () => {
    const body = {
      model: MODEL,
      memory_blocks: [{ label: 'human', value: '{{a}}', limit: 5 }],
      memory_variables: { a: 'too long' },
    }
    expect((await server.request('POST', '/v1/agents/', body)).status).toBe(422)
  })
})
