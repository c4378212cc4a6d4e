import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { findBrokenInvariants, readDatabaseState } from '../support/database-state.ts'
import { HOSTILE_JSON, HOSTILE_PATH, HOSTILE_QUERY } from '../support/hostile-values.ts'
import { multipartFile } from '../support/multipart.ts'
import { listOperations, type Operation, pathOf } from '../support/operations.ts'
import { scriptedModel } from '../support/scripted-model.ts'
import { startTestServer, type TestServer } from '../support/test-server.ts'

const MAX_BODY_BYTES = 3_000_000
const JSON_TYPE = { 'content-type': 'application/json' }

/** Bodies that succeed, by operation; a new one with required fields needs a line here. */
const VALID_BODIES: Record<string, Record<string, unknown>> = {
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
}

const server: TestServer = await startTestServer({
  models: scriptedModel(() => ({ text: 'Hello.' })).registry,
  config: { maxBodyBytes: MAX_BODY_BYTES },
})
const operations = listOperations(server.app)
const withBody = operations.filter((operation) => operation.body !== undefined)
const ids: Record<string, string> = {}

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
  ids.conversation_id = 'default'
  VALID_BODIES.retrieve_conversation_stream = { run_id: ids.run_id }
  ids.step_id = (await server.request<{ id: string }[]>('GET', '/v1/steps/?limit=1')).body[0]?.id ?? ''
  ids.message_id = 'message-01234567-89ab-4def-8123-456789abcdef'
}
beforeAll(makeFixture)
afterAll(async () => {
  expect(await findBrokenInvariants(server.context.db)).toEqual([])
  expect(({} as Record<string, unknown>).polluted).toBeUndefined()
  await server.close()
})

async function post<Body>(url: string, body: unknown): Promise<Body> {
  const response = await server.request<Body>('POST', url, body)
  expect(response.status, JSON.stringify(response.body)).toBe(200)
  return response.body
}

const validBody = (operation: Operation) => VALID_BODIES[operation.id] ?? {}
const validPath = (operation: Operation) => pathOf(operation, (name) => ids[name] ?? 'unknown')

/** Waits until nothing is written any more: runs that a request began in the background. */
async function settle(): Promise<void> {
  const active = async () => [
    (await server.request('GET', '/v1/runs/?active=true')).body,
    (await server.request<{ completed_at: unknown }[]>('GET', '/v1/messages/batches')).body.filter(
      ({ completed_at }) => completed_at === null,
    ),
  ]
  await expect.poll(active, { timeout: 10_000, interval: 20 }).toEqual([[], []])
}

interface Request {
  method: Operation['method']
  url: string
  payload?: string | Buffer
  headers?: Record<string, string>
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
  const body = response.json<{ detail?: unknown; error?: { detail?: unknown } }>()
  if (typeof body.detail !== 'string' && typeof body.error?.detail !== 'string') return answer('has no detail')
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
const VALUES_OF_FIELD = 5
const VALUES_OF_PARAMETER = 5
let turn = 0

const DESTRUCTIVE = new Set([
  'delete_agent',
  'delete_archive',
  'delete_block',
  'delete_file_from_folder',
  'delete_file_from_source',
  'delete_folder',
  'delete_job',
  'delete_source',
  'delete_run',
  'delete_passage',
  'delete_passage_from_archive',
  'delete_scheduled_message',
])

describe.each(withBody)('$method $path', (operation) => {
  const url = () => validPath(operation)
  const send = (payload: string | Buffer, headers: Record<string, string> = JSON_TYPE) =>
    problemOf({ method: operation.method, url: url(), payload, headers })
  beforeAll(makeFixture)
  beforeEach(() => {
    before = undefined
  })

  it('takes its valid body', async () => {
    const { status, problem } = await send(JSON.stringify(validBody(operation)))
    expect(problem).toBeUndefined()
    // nothing runs that could be cancelled
    expect(status).toBe(operation.id === 'cancel_message' ? 409 : 200)
  })

  it('bears every hostile value in every field', async () => {
    const valid = validBody(operation)
    const { properties = operation.body?.anyOf?.[0]?.properties ?? {} } = operation.body ?? {}
    // what changes the label comes last: the path of the others names it
    const fields = Object.keys(properties).sort((a, b) => Number(a === 'label') - Number(b === 'label'))
    const requests = fields.flatMap((field) =>
      share(Object.entries(HOSTILE_JSON), turn++, VALUES_OF_FIELD).map(([what, json]) => {
        const others = Object.entries(valid).filter(
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
      [422, '[]'],
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
