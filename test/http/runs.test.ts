import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { DEFAULT_ORGANIZATION_ID, newOrderedId } from '#platform/ids.ts'
import { statement } from '#store/db.ts'
import { type SeededTurn, seedConversation, seedRun, seedStep, seedTurn } from '../support/seed.ts'
import { startTestServer, type TestServer } from '../support/test-server.ts'

interface Run {
  id: string
  status: string
  [field: string]: unknown
}

let server: TestServer
let turn: SeededTurn
let conversationId: string
/** Oldest first: completed, running, created, failed, in this order. */
let ids: string[]

beforeAll(async () => {
  server = await startTestServer()
  const { db } = server.context
  turn = await seedTurn(db, DEFAULT_ORGANIZATION_ID)
  conversationId = await seedConversation(db, DEFAULT_ORGANIZATION_ID, turn.agentId)
  ids = [turn.runId]
  ids.push(await seedRun(db, turn, { status: 'running', stop_reason: null, background: true }))
  ids.push(await seedRun(db, { ...turn, conversationId }, { status: 'created', stop_reason: null }))
  ids.push(await seedRun(db, turn, { status: 'failed', stop_reason: 'llm_api_error' }))
  const fail = statement('test-fail-run', 'update runs set error = $3::jsonb where organization_id = $1 and id = $2')
  const error = { type: 'llm_error', message: 'provider is gone', detail: null }
  await db.query(fail, [DEFAULT_ORGANIZATION_ID, ids[3], JSON.stringify(error)])
})
afterAll(() => server.close())

const listed = async (query: string) =>
  (await server.request<Run[]>('GET', `/v1/runs/?agent_id=${turn.agentId}&${query}`)).body.map((run) =>
    ids.indexOf(run.id),
  )

test('a run with every field', async () => {
  const { body } = await server.request<Run>('GET', `/v1/runs/${turn.runId}`)
  expect(body).toEqual({
    id: turn.runId,
    status: 'completed',
    created_at: expect.any(String),
    completed_at: expect.any(String),
    agent_id: turn.agentId,
    conversation_id: null,
    base_template_id: null,
    background: false,
    metadata: { run_type: 'send_message' },
    request_config: {
      use_assistant_message: true,
      assistant_message_tool_name: 'send_message',
      assistant_message_tool_kwarg: 'message',
      include_return_message_types: null,
    },
    stop_reason: 'end_turn',
    callback_url: null,
    callback_sent_at: null,
    callback_status_code: null,
    callback_error: null,
    ttft_ns: null,
    total_duration_ns: null,
  })
  const failed = (await server.request<Run>('GET', `/v1/runs/${ids[3]}`)).body
  expect(failed.metadata).toMatchObject({ run_type: 'send_message', error: { message: 'provider is gone' } })
  expect((await server.request<Run>('GET', `/v1/runs/${ids[2]}`)).body.conversation_id).toBe(conversationId)
})

describe('list', () => {
  test.each<[string, number[]]>([
    ['', [3, 2, 1, 0]],
    ['order=asc', [0, 1, 2, 3]],
    ['ascending=true', [0, 1, 2, 3]],
    ['limit=1', [3]],
    ['active=true', [2, 1]],
    ['active=true&statuses=running', [1]],
    ['statuses=running&statuses=completed', [1, 0]],
    ['background=true', [1]],
    ['background=false', [3, 2, 0]],
    ['stop_reason=llm_api_error', [3]],
    ['conversation_id=default', [3, 1, 0]],
    ['conversation_id=conv-none', []],
  ])('%s', async (query, expected) => {
    expect(await listed(query)).toEqual(expected)
  })

  test('cursors follow the order asked for: V1 had this the wrong way round', async () => {
    expect(await listed(`after=${ids[2]}`)).toEqual([1, 0])
    expect(await listed(`before=${ids[1]}`)).toEqual([3, 2])
    expect(await listed(`before=${ids[0]}&limit=2`)).toEqual([2, 1])
    expect(await listed(`order=asc&after=${ids[1]}`)).toEqual([2, 3])
    expect(await listed(`order=asc&before=${ids[3]}&limit=2`)).toEqual([1, 2])
    expect((await server.request('GET', `/v1/runs/?after=${newOrderedId('run')}`)).status).toBe(404)
  })

  test('of several agents, and of a thread', async () => {
    const other = await seedTurn(server.context.db, DEFAULT_ORGANIZATION_ID, 'Other')
    const both = await server.request<Run[]>('GET', `/v1/runs/?agent_ids=${turn.agentId}&agent_ids=${other.agentId}`)
    expect(both.body.length).toBe(5)
    const ofThread = await server.request<Run[]>('GET', `/v1/runs/?conversation_id=${conversationId}`)
    expect(ofThread.body.map((run) => run.id)).toEqual([ids[2]])
  })

  test.each(['limit=0', 'statuses=done', 'stop_reason=tired', 'agent_id=agent-1', 'background=maybe'])(
    '%s is refused',
    async (query) => {
      expect((await server.request('GET', `/v1/runs/?${query}`)).status).toBe(422)
    },
  )
})

test('messages of a run, oldest first', async () => {
  const read = async (query: string) =>
    (await server.request<{ id: string; message_type: string }[]>('GET', `/v1/runs/${turn.runId}/messages?${query}`))
      .body
  expect((await read('')).map((message) => message.message_type)).toEqual(['user_message', 'assistant_message'])
  expect((await read('order=desc')).map((message) => message.message_type)).toEqual([
    'assistant_message',
    'user_message',
  ])
  expect((await read(`after=${turn.messageIds[0]}`)).map((message) => message.id)).toEqual([turn.messageIds[1]])
  expect((await read(`before=${turn.messageIds[1]}`)).map((message) => message.id)).toEqual([turn.messageIds[0]])
  expect(await read(`order=desc&after=${turn.messageIds[0]}`)).toEqual([])
  expect((await read('limit=1')).length).toBe(1)
})

test('steps of a run, newest first', async () => {
  const second = await seedStep(server.context.db, turn)
  const read = async (query: string) =>
    (await server.request<{ id: string }[]>('GET', `/v1/runs/${turn.runId}/steps?${query}`)).body.map((step) => step.id)
  expect(await read('')).toEqual([second, turn.stepId])
  expect(await read('order=asc')).toEqual([turn.stepId, second])
  expect(await read(`after=${second}`)).toEqual([turn.stepId])
})

test('usage of a run', async () => {
  expect((await server.request('GET', `/v1/runs/${turn.runId}/usage`)).body).toEqual({
    completion_tokens: 5,
    prompt_tokens: 10,
    total_tokens: 15,
    prompt_tokens_details: { cached_tokens: 4, cache_read_tokens: 4, cache_creation_tokens: null },
    completion_tokens_details: { reasoning_tokens: null },
  })
})

test('only a run that has ended can be deleted, and its messages stay', async () => {
  const { db } = server.context
  const other = await seedTurn(db, DEFAULT_ORGANIZATION_ID, 'Bo')
  const active = await server.request('DELETE', `/v1/runs/${ids[1]}`)
  expect([active.status, active.headers['x-should-retry']]).toEqual([409, 'false'])
  const response = await server.request('DELETE', `/v1/runs/${other.runId}`)
  expect([response.status, response.body]).toEqual([200, null])
  expect((await server.request('GET', `/v1/runs/${other.runId}`)).status).toBe(404)
  const count = statement(
    'test-count-messages',
    'select count(*) as count from messages where organization_id = $1 and run_id = $2',
  )
  expect(await db.query(count, [DEFAULT_ORGANIZATION_ID, other.runId])).toEqual([{ count: 2 }])
})

test('the official client', async () => {
  const client = await server.sdk()
  const seen: string[] = []
  for await (const run of client.runs.list({ agent_id: turn.agentId, limit: 1 })) seen.push(run.id)
  expect(seen).toEqual(ids.toReversed())
  expect((await client.runs.retrieve(turn.runId)).status).toBe('completed')
  expect((await client.runs.usage.retrieve(turn.runId)).total_tokens).toBe(15)
  expect((await client.runs.messages.list(turn.runId)).items.length).toBe(2)
})
