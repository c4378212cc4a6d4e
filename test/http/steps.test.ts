import { afterAll, beforeAll, expect, test } from 'vitest'
import { DEFAULT_ORGANIZATION_ID, newOrderedId } from '#platform/ids.ts'
import { type SeededTurn, seedStep, seedTurn } from '../support/seed.ts'
import { startTestServer, type TestServer } from '../support/test-server.ts'

let server: TestServer
let turn: SeededTurn
/** Oldest first. */
let ids: string[]

beforeAll(async () => {
  server = await startTestServer()
  const { db } = server.context
  turn = await seedTurn(db, DEFAULT_ORGANIZATION_ID)
  // the first one lies in the partition for what is older than all months
  const old = await seedStep(db, turn, { created_at: '2020-01-31T23:30:00Z', model: 'old-model' })
  ids = [old, turn.stepId, await seedStep(db, turn, { trace_id: 'trace-1' })]
})
afterAll(() => server.close())

const listed = async (query: string) =>
  (await server.request<{ id: string }[]>('GET', `/v1/steps/?${query}`)).body.map((step) => ids.indexOf(step.id))

test('a step with every field', async () => {
  expect((await server.request('GET', `/v1/steps/${turn.stepId}`)).body).toEqual({
    id: turn.stepId,
    origin: null,
    provider_id: null,
    run_id: turn.runId,
    agent_id: turn.agentId,
    provider_name: null,
    provider_category: null,
    model: 'gpt-4o-mini',
    model_handle: 'openai/gpt-4o-mini',
    model_endpoint: null,
    context_window_limit: null,
    completion_tokens: 5,
    prompt_tokens: 10,
    total_tokens: 15,
    cached_input_tokens: 4,
    cache_write_tokens: null,
    reasoning_tokens: null,
    completion_tokens_details: null,
    prompt_tokens_details: { cached_tokens: 4, cache_read_tokens: 4, cache_creation_tokens: null },
    stop_reason: 'end_turn',
    tags: [],
    tid: null,
    trace_id: null,
    request_id: null,
    messages: [],
    feedback: null,
    project_id: null,
    error_type: null,
    error_data: null,
    status: 'success',
  })
})

test('its metrics and messages', async () => {
  expect((await server.request('GET', `/v1/steps/${turn.stepId}/metrics`)).body).toMatchObject({
    id: turn.stepId,
    run_id: turn.runId,
    step_ns: 12_345,
    llm_request_ns: null,
  })
  const messages = await server.request<{ id: string }[]>('GET', `/v1/steps/${turn.stepId}/messages`)
  expect(messages.body.map((message) => message.id)).toEqual([turn.messageIds[1]])
})

test.each<[string, number[]]>([
  ['', [2, 1, 0]],
  ['order=asc', [0, 1, 2]],
  ['limit=1', [2]],
  ['model=old-model', [0]],
  ['model=openai/old-model', [0]],
  ['trace_ids=trace-1&trace_ids=trace-2', [2]],
  ['end_date=2020-01-31', [0]],
  ['end_date=2020-01-31T23:00:00Z', []],
  ['start_date=2020-02-01', [2, 1]],
  ['start_date=2020-01-31T23:00:00%2B00:00&end_date=2020-02-01&order=asc', [0]],
  ['has_feedback=true', []],
  ['has_feedback=false', [2, 1, 0]],
  ['project_id=none', []],
])('%s', async (query, expected) => {
  expect(await listed(query)).toEqual(expected)
})

test('of one agent, and cursors across partitions', async () => {
  expect(await listed(`agent_id=${turn.agentId}`)).toEqual([2, 1, 0])
  expect(await listed(`agent_id=agent-${crypto.randomUUID()}`)).toEqual([])
  expect(await listed(`after=${ids[1]}`)).toEqual([0])
  expect(await listed(`before=${ids[0]}&limit=1`)).toEqual([1])
  expect(await listed(`order=asc&after=${ids[0]}`)).toEqual([1, 2])
  expect((await server.request('GET', `/v1/steps/?after=${newOrderedId('step')}`)).status).toBe(404)
})

test.each(['limit=0', 'start_date=yesterday', 'feedback=good', 'has_feedback=perhaps', 'agent_id=x'])(
  '%s is refused',
  async (query) => {
    expect((await server.request('GET', `/v1/steps/?${query}`)).status).toBe(422)
  },
)

test('feedback is set, found, and taken back', async () => {
  const client = await server.sdk()
  const step = await client.steps.feedback.create(turn.stepId, { feedback: 'positive', tags: ['nice'] })
  expect([step.feedback, step.tags]).toEqual(['positive', ['nice']])
  expect(await listed('has_feedback=true')).toEqual([1])
  expect(await listed('feedback=positive')).toEqual([1])
  expect(await listed('tags=nice&tags=other')).toEqual([1])
  const negative = await client.steps.feedback.create(turn.stepId, { feedback: 'negative' })
  expect([negative.feedback, negative.tags]).toEqual(['negative', ['nice']])
  const none = await client.steps.feedback.create(turn.stepId, { feedback: null })
  expect(none.feedback).toBeNull()
  const wrong = await server.request('PATCH', `/v1/steps/${turn.stepId}/feedback`, { feedback: 'so-so' })
  expect(wrong.status).toBe(422)
})

test('the official client walks through all steps', async () => {
  const client = await server.sdk()
  const seen: string[] = []
  for await (const step of client.steps.list({ limit: 1 })) seen.push(step.id)
  expect(seen).toEqual(ids.toReversed())
  expect((await client.steps.metrics.retrieve(turn.stepId)).step_ns).toBe(12_345)
})
