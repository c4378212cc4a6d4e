import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { findBrokenInvariants, readDatabaseState } from '../support/database-state.ts'
import { HOSTILE_JSON, HOSTILE_PATH, HOSTILE_QUERY } from '../support/hostile-values.ts'
import { multipartFile } from '../support/multipart.ts'
import { listOperations, type Operation, pathOf } from '../support/operations.ts'
import { scriptedModel } from '../support/scripted-model.ts'
import { startTestServer, type TestServer } from '../support/test-server.ts'

const MAX_BODY_BYTES = 3_000_000
const JSON_TYPE = { 'content-type': 'application/json' }

const TOOL_SOURCE = 'def valid():\n    "Does nothing."\n'
const MCP_CONFIG = { mcp_server_type: 'sse', server_url: 'https://mcp.invalid/sse' }

/** Bodies that succeed, by operation; a new one with required fields needs a line here. */
const VALID_BODIES: Record<string, unknown> = {
  generate_completion: { prompt: 'hello' },
  create_agent: { model: 'openai/gpt-4o-mini', memory_blocks: [{ label: 'human', value: '' }] },
  create_block: { label: 'plan', value: '' },
  create_passage: { text: 'a boat' },
  create_archive: { name: 'facts' },
  create_passage_in_archive: { text: 'a boat' },
  create_passages_in_archive: { passages: [{ text: 'a boat' }] },
  create_folder: { name: 'a folder' },
  create_source: { name: 'a source' },
  send_message: { input: 'hello' },
  create_agent_message_stream: { input: 'hello' },
  create_agent_message_async: { input: 'hello' },
  schedule_message: { messages: [{ role: 'user', content: 'hello' }], schedule: { scheduled_at: 4e12 } },
  modify_feedback_for_step: { feedback: 'positive' },
  modify_approval_for_tool: { requires_approval: false },
  send_conversation_message: { input: 'hello', streaming: false },
  preview_model_request: { input: 'hello' },
  preview_conversation_model_request: { input: 'hello' },
  search_all_messages: { query: 'hello' },
  create_tool: { source_code: TOOL_SOURCE },
  upsert_tool: { source_code: TOOL_SOURCE },
  generate_json_schema: { code: TOOL_SOURCE },
  run_tool_from_source: { source_code: TOOL_SOURCE, args: {} },
  mcp_create_mcp_server: { server_name: 'valid', config: MCP_CONFIG },
  mcp_update_mcp_server: { config: MCP_CONFIG },
  add_mcp_server: { server_name: 'valid in the older form', server_url: MCP_CONFIG.server_url },
  test_mcp_server: { server_name: 'tried', server_url: MCP_CONFIG.server_url },
  connect_mcp_server: { server_name: 'tried', server_url: MCP_CONFIG.server_url },
  create_sandbox_config: { config: { timeout: 5 } },
  create_sandbox_env_var: { key: 'VALID', value: 'x' },
  create_identity: { identifier_key: 'made', name: 'n', identity_type: 'user' },
  upsert_identity: { identifier_key: 'put', name: 'n', identity_type: 'user' },
  upsert_properties_for_identity: [],
  create_group: { agent_ids: [], description: 'd' },
  create_project: { name: 'Project' },
  register_environment: { deviceId: 'device', connectionName: 'Machine' },
  send_message_to_environment: { messages: [] },
  rollback_template: { version: '1' },
  rollback_template_in_project: { version: '1' },
  rename_template: { new_name: 'renamed' },
  migrate_deployment: { version: '1' },
}

/** What valid bodies are answered with, where it is not 200: nothing runs that could be cancelled, no server or environment is connected, there is one configuration of a type. */
const STATUS_OF_VALID: Record<string, number> = {
  send_message_to_environment: 409,
  compact_conversation: 400,
  create_project: 201,
  create_client_side_access_token: 201,
  create_template: 201,
  create_template_in_project: 201,
  create_agents_from_template: 201,
  create_agents_from_template_in_project: 201,
  cancel_message: 409,
  cancel_conversation: 409,
  mcp_run_tool: 404,
  test_mcp_server: 404,
  create_custom_local_sandbox_config: 409,
}

/** Queries without which an operation refuses everything. */
const requiredQuery = (operation: Operation): string =>
  operation.id === 'create_conversation' ? `?agent_id=${ids.agent_id}` : ''

const server: TestServer = await startTestServer({
  models: scriptedModel(() => ({ text: 'Hello.' })).registry,
  config: { maxBodyBytes: MAX_BODY_BYTES },
})
const operations = listOperations(server.app)
const withBody = operations.filter((operation) => operation.body !== undefined)
const ids: Record<string, string> = {}
let fixtures = 0

/** Makes everything that a path can name anew: what was there may have been renamed or filled by hostile values. */
async function makeFixture(): Promise<void> {
  const agent = await post<{ id: string; blocks: { id: string }[]; tools: { id: string; name: string }[] }>(
    '/v1/agents/?include=agent.blocks&include=agent.tools',
    VALID_BODIES.create_agent,
  )
  ids.agent_id = agent.id
  ids.block_id = agent.blocks[0]?.id ?? ''
  ids.tool_id = agent.tools[0]?.id ?? ''
  ids.tool_name = agent.tools[0]?.name ?? ''
  ids.block_label = 'human'
  const [passage] = await post<{ id: string }[]>(`/v1/agents/${agent.id}/archival-memory`, { text: 'x', tags: ['a'] })
  ids.memory_id = passage?.id ?? ''
  ids.archive_id = (await post<{ id: string }>('/v1/archives', { name: 'facts' })).id
  ids.version = '1'
  ids.passage_id = (await post<{ id: string }>(`/v1/archives/${ids.archive_id}/passages`, { text: 'x' })).id
  ids.folder_name = ids.source_name = crypto.randomUUID()
  ids.folder_id = ids.source_id = (await post<{ id: string }>('/v1/folders', { name: ids.folder_name })).id
  const form = multipartFile('a.txt', 'x')
  const path = `/v1/folders/${ids.folder_id}/upload`
  ids.file_id = (await server.request<{ id: string }>('POST', path, form.payload, form.headers)).body.id
  await server.request('PATCH', `/v1/agents/${agent.id}/folders/attach/${ids.folder_id}`)
  ids.job_id = (await server.request<{ id: string }[]>('GET', '/v1/jobs?limit=1')).body[0]?.id ?? ''
  VALID_BODIES.create_batch = { requests: [{ agent_id: agent.id, input: 'hello' }] }
  ids.batch_id = 'job-01234567-89ab-4def-8123-456789abcdef'
  ids.delivery_id = 'delivery-01234567-89ab-4def-8123-456789abcdef'
  const schedule = await post<{ id: string }>(`/v1/agents/${agent.id}/schedule`, VALID_BODIES.schedule_message)
  ids.scheduled_message_id = schedule.id
  await post(`/v1/agents/${agent.id}/messages`, { input: 'hello' })
  ids.run_id = (await server.request<{ id: string }[]>('GET', '/v1/runs/?limit=1')).body[0]?.id ?? ''
  ids.conversation_id = (await post<{ id: string }>(`/v1/conversations/?agent_id=${agent.id}`, {})).id
  ids.model = agent.id
  const chat = { model: agent.id, messages: [{ role: 'user', content: 'hello' }] }
  VALID_BODIES.create_chat_completion = chat
  VALID_BODIES.create_openai_chat_completion = chat
  VALID_BODIES.create_response = { model: agent.id, input: 'hello' }
  VALID_BODIES.create_openai_response = { model: agent.id, input: 'hello' }
  const key = { provider_type: 'openai', api_key: 'a key' }
  VALID_BODIES.check_provider = key
  VALID_BODIES.create_provider = { ...key, name: `mine-${crypto.randomUUID()}` }
  const [provider] = (await server.request<{ id: string }[]>('GET', '/v1/providers/?name=fixture')).body
  ids.provider_id = (provider ?? (await post<{ id: string }>('/v1/providers/', { ...key, name: 'fixture' }))).id
  VALID_BODIES.retrieve_conversation_stream = { run_id: ids.run_id }
  VALID_BODIES.compact_conversation = { agent_id: agent.id }
  ids.step_id = (await server.request<{ id: string }[]>('GET', '/v1/steps/?limit=1')).body[0]?.id ?? ''
  ids.message_id = 'message-01234567-89ab-4def-8123-456789abcdef'
  const server_name = `server ${fixtures++}`
  ids.mcp_server_id = (await post<{ id: string }>('/v1/mcp-servers/', { server_name, config: MCP_CONFIG })).id
  ids.mcp_server_name = encodeURIComponent(server_name)
  ids.sandbox_config_id = (await post<{ id: string }>('/v1/sandbox-config/local/default', {})).id
  const variables = `/v1/sandbox-config/${ids.sandbox_config_id}/environment-variable`
  ids.env_var_id = (await post<{ id: string }>(variables, { key: `KEY_${fixtures}`, value: 'x' })).id
  await makePeopleAndTemplates(agent.id)
}

async function makePeopleAndTemplates(agentId: string): Promise<void> {
  const identity = { identifier_key: crypto.randomUUID(), name: 'n', identity_type: 'user' }
  ids.identity_id = (await post<{ id: string }>('/v1/identities', identity)).id
  ids.group_id = (await post<{ id: string }>('/v1/groups', { agent_ids: [], description: 'd' })).id
  ids.device_id = crypto.randomUUID()
  const machine = { deviceId: ids.device_id, connectionName: 'Machine' }
  ids.connection_id = (await post<{ connectionId: string }>('/v1/environments/register', machine)).connectionId
  ids.environment_id = (await server.request<{ id: string }>('GET', `/v1/environments/${ids.device_id}`)).body.id
  const policy = [{ type: 'agent', id: agentId, access: ['read_agent'] }]
  VALID_BODIES.create_client_side_access_token = { policy, hostname: 'https://app.example' }
  ids.token = 'token-01234567-89ab-4def-8123-456789abcdef'
  const source = { type: 'agent', agent_id: agentId }
  VALID_BODIES.create_template = source
  VALID_BODIES.create_template_in_project = source
  ids.project_id = 'default-project'
  ids.template_name = (await post<{ name: string }>('/v1/templates', source, 201)).name
  ids.template_version = `${ids.template_name}:1`
  const made = await post<{ deployment_id: string }>(`/v1/templates/${ids.template_name}/agents`, {}, 201)
  ids.deployment_id = made.deployment_id
  const file = { agents: [{ model: 'openai/gpt-4o-mini' }] }
  VALID_BODIES.update_template = { agent_file_json: file }
  VALID_BODIES.update_template_in_project = { agent_file_json: file }
}
beforeAll(makeFixture)
afterAll(async () => {
  expect(await findBrokenInvariants(server.context.db)).toEqual([])
  expect(({} as Record<string, unknown>).polluted).toBeUndefined()
  await server.close()
})

async function post<Body>(url: string, body: unknown, status = 200): Promise<Body> {
  const response = await server.request<Body>('POST', url, body)
  expect(response.status, JSON.stringify(response.body)).toBe(status)
  return response.body
}

const validBody = (operation: Operation) => VALID_BODIES[operation.id] ?? {}
const validPath = (operation: Operation) => pathOf(operation, (name) => ids[name] ?? 'unknown')

/** Waits until nothing is written any more: by runs that a request began in the background, nor by the log of what searches have given. */
async function settle(): Promise<void> {
  const active = async () => [
    (await server.request('GET', '/v1/runs/?active=true')).body,
    (await server.request<{ completed_at: unknown }[]>('GET', '/v1/messages/batches')).body.filter(
      ({ completed_at }) => completed_at === null,
    ),
  ]
  await expect.poll(active, { timeout: 10_000, interval: 20 }).toEqual([[], []])
  await server.context.retrievals.flush()
}

interface Request {
  method: Operation['method']
  url: string
  payload?: string | Buffer
  headers?: Record<string, string>
}

/** A detail that is more than a text. */
interface Told {
  message?: unknown
}

const readState = () => readDatabaseState(server.context.db)
let before: Record<string, string> | undefined

/** Sends a request; what is wrong with the answer, or with what a refused request left behind. */
async function problemOf(request: Request): Promise<{ status: number; problem: string | undefined }> {
  if (before === undefined) {
    await settle()
    before = await readState()
  }
  const response = await server.app.inject(request)
  const status = response.statusCode
  const answer = (text: string) => ({ status, problem: `${status} ${text}: ${response.body.slice(0, 300)}` })
  if (status < 300) {
    if (request.method !== 'GET') before = undefined
    return response.body.includes('event: error') ? answer('an error event') : { status, problem: undefined }
  }
  if (status >= 500) return answer('is the fault of the server')
  const body = response.json<{ detail?: unknown; error?: { detail?: unknown; message?: unknown } }>()
  // of OpenAI's shape it is the message
  const told = [body.detail, (body.detail as Told | undefined)?.message, body.error?.detail, body.error?.message]
  if (!told.some((text) => typeof text === 'string')) return answer('has no detail')
  if (request.method === 'GET') return { status, problem: undefined }
  const after = await readState()
  const changed = Object.keys(after).filter((table) => after[table] !== before?.[table])
  before = after
  return changed.length === 0 ? { status, problem: undefined } : answer(`has written to ${changed.join()}`)
}

/** Sends all; gives the problems. */
async function problemsOf(requests: readonly (Request & { what: string })[]): Promise<string[]> {
  const problems: string[] = []
  for (const { what, ...request } of requests) {
    const { problem } = await problemOf(request)
    if (problem !== undefined) problems.push(`${request.method} ${request.url.slice(0, 120)} with ${what}: ${problem}`)
  }
  // reading writes nothing either
  if (before !== undefined) expect(await readState()).toEqual(before)
  return problems
}

/** Every field gets some of the values, every value comes to some fields of each kind: all of all would take minutes. */
function share<Value>(values: readonly Value[], turn: number, count: number): Value[] {
  return Array.from({ length: count }, (_, index) => values[(turn * count + index) % values.length] as Value)
}
const VALUES_OF_FIELD = 3
const VALUES_OF_PARAMETER = 3
let turn = 0

const DESTRUCTIVE = new Set([
  'delete_agent',
  'delete_archive',
  'delete_block',
  'delete_conversation',
  'delete_run',
  'delete_passage',
  'delete_provider',
  'delete_file_from_folder',
  'delete_file_from_source',
  'delete_folder',
  'delete_job',
  'delete_source',
  'delete_passage_from_archive',
  'delete_scheduled_message',
  'delete_tool',
  'mcp_delete_mcp_server',
  'delete_mcp_server',
  'delete_sandbox_config',
  'delete_sandbox_env_var',
  'delete_client_side_access_token',
  'delete_environment',
  'delete_group',
  'delete_identity',
  'delete_project',
  'delete_template',
  'delete_template_in_project',
])

describe.each(withBody)('$method $path', (operation) => {
  const url = () => validPath(operation) + requiredQuery(operation)
  const send = (payload: string | Buffer, headers: Record<string, string> = JSON_TYPE) =>
    problemOf({ method: operation.method, url: url(), payload, headers })
  beforeAll(makeFixture)
  beforeEach(() => {
    before = undefined
  })

  it('takes its valid body', async () => {
    const { status, problem } = await send(JSON.stringify(validBody(operation)))
    expect(problem).toBeUndefined()
    expect(status).toBe(STATUS_OF_VALID[operation.id] ?? 200)
  })

  it('bears every hostile value in every field', async () => {
    const valid = validBody(operation)
    const { properties = operation.body?.anyOf?.[0]?.properties ?? {} } = operation.body ?? {}
    // what changes the label comes last: the path of the others names it
    const isName = (field: string) => Number(field === 'label' || field === 'server_name')
    const fields = Object.keys(properties).sort((a, b) => isName(a) - isName(b))
    const requests = fields.flatMap((field) =>
      share(Object.entries(HOSTILE_JSON), turn++, VALUES_OF_FIELD).map(([what, json]) => {
        const others = Object.entries(valid as object).filter(
          ([name]) => name !== field && !(field === 'messages' && name === 'input'),
        )
        const members = [...others.map(([name, value]) => [name, JSON.stringify(value)]), [field, json]]
        const payload = `{${members.map(([name, value]) => `${JSON.stringify(name)}:${value}`).join()}}`
        return { what: `${field} = ${what}`, method: operation.method, url: url(), payload, headers: JSON_TYPE }
      }),
    )
    expect(await problemsOf(requests)).toEqual([])
  }, 60_000)

  it('refuses what is no JSON object, and writes nothing', async () => {
    const valid = JSON.stringify(validBody(operation))
    const refused: [number, string | Buffer, Record<string, string>?][] = [
      [400, `${valid.slice(0, -1)},`],
      [400, '{'],
      [400, 'NaN'],
      [400, `${valid}${valid}`],
      [400, Buffer.from([0x7b, 0x22, 0xc0, 0x80, 0x22, 0x7d])],
      [400, Buffer.from(valid, 'utf16le')],
      ...(operation.body?.type === 'array' ? [] : [[422, '[]'] as [number, string]]),
      [422, '"text"'],
      [422, '12'],
      [422, `{"a":${'['.repeat(10_000)}${']'.repeat(10_000)}}`],
      [422, '{"__proto__":{"polluted":true}}'],
      [422, '{"a\\u0000b":1}'],
      [422, '{"unknown":"\\udc00"}'],
      [422, '{"unknown":1e400}'],
      [413, `{"a":"${'x'.repeat(MAX_BODY_BYTES)}"}`],
      [415, valid, { 'content-type': 'text/plain' }],
      [415, valid, { 'content-type': 'multipart/form-data; boundary=x' }],
      [415, valid, { 'content-type': 'application/jsonx' }],
      [415, valid, { 'content-type': 'nonsense' }],
    ]
    for (const [expected, payload, headers] of refused) {
      const { status, problem } = await send(payload, headers)
      expect(problem).toBeUndefined()
      expect([status, payload.slice(0, 60).toString()]).toEqual([expected, payload.slice(0, 60).toString()])
    }
  })
})

const withParameters = operations.filter((operation) => operation.pathParameters.length > 0)

it.each(withParameters)('$method $path bears every hostile path', async (operation) => {
  const requests = operation.pathParameters.flatMap((hostile) =>
    HOSTILE_PATH.map((value) => ({
      what: hostile,
      method: operation.method,
      url: pathOf(operation, (name) => (name === hostile ? value : (ids[name] ?? 'unknown'))),
      payload: JSON.stringify(validBody(operation)),
      headers: JSON_TYPE,
    })),
  )
  expect(await problemsOf(requests)).toEqual([])
})

const withQuery = operations.filter((operation) => Object.keys(operation.query).length > 0)

it.each(withQuery)(
  '$method $path bears every hostile query',
  async (operation) => {
    const requests = [...Object.keys(operation.query), 'unknown', '__proto__', '%00'].flatMap((name) =>
      share(HOSTILE_QUERY, turn++, VALUES_OF_PARAMETER).map((value, index) => {
        const pair = index % 3 === 0 ? `${name}=a&${name}=${value}` : `${name}=${value}`
        const required = ['query', 'limit']
          .filter((other) => other !== name && other in operation.query)
          .map((other) => `&${other}=3`)
          .join('')
        return {
          what: pair.slice(0, 60),
          method: operation.method,
          url: `${validPath(operation)}?${pair}${required}`,
          ...(operation.body === undefined ? {} : { payload: '{}', headers: JSON_TYPE }),
        }
      }),
    )
    expect(await problemsOf(requests)).toEqual([])
  },
  60_000,
)

it('knows which operations delete what the others need', () => {
  const deleting = operations.filter((operation) => operation.method === 'DELETE').map((operation) => operation.id)
  expect(new Set(deleting)).toEqual(DESTRUCTIVE)
})
