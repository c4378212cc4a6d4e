import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createBlock } from '#memory/create-block.ts'
import { insertPassage } from '#memory/insert-passage.ts'
import { DEFAULT_ORGANIZATION_ID, type IdPrefix, newId } from '#platform/ids.ts'
import { statement } from '#store/db.ts'
import { ensureBuiltinTools } from '#tools/ensure-builtin-tools.ts'
import { seedTurn } from '../support/seed.ts'
import { startTestServer, type TestServer } from '../support/test-server.ts'

type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE'

const SCHEDULE = { messages: [{ role: 'user', content: 'x' }], schedule: { scheduled_at: 4e12 } }

/** Every operation of these resources that names something by id; `:agent` and so on stand for the ids. */
const OPERATIONS: [Method, string, object?][] = [
  ['GET', '/v1/blocks/:block'],
  ['PATCH', '/v1/blocks/:block', { value: 'x' }],
  ['DELETE', '/v1/blocks/:block'],
  ['GET', '/v1/blocks/:block/agents'],
  ['GET', '/v1/tools/:tool'],
  ['GET', '/v1/agents/:agent/archival-memory'],
  ['POST', '/v1/agents/:agent/archival-memory', { text: 'x' }],
  ['GET', '/v1/agents/:agent/archival-memory/search?query=x'],
  ['DELETE', '/v1/agents/:agent/archival-memory/:passage'],
  ['GET', '/v1/runs/:run'],
  ['GET', '/v1/runs/:run/messages'],
  ['GET', '/v1/runs/:run/steps'],
  ['GET', '/v1/runs/:run/usage'],
  ['GET', '/v1/runs/:run/metrics'],
  ['GET', '/v1/runs/:run/trace'],
  ['DELETE', '/v1/runs/:run'],
  ['GET', '/v1/agents/:agent/schedule'],
  ['POST', '/v1/agents/:agent/schedule', SCHEDULE],
  ['GET', '/v1/agents/:agent/schedule/:schedule'],
  ['DELETE', '/v1/agents/:agent/schedule/:schedule'],
  ['GET', '/v1/messages/batches/:job'],
  ['GET', '/v1/messages/batches/:job/messages'],
  ['PATCH', '/v1/messages/batches/:job/cancel'],
  ['GET', '/v1/webhooks/deliveries/:delivery'],
  ['POST', '/v1/webhooks/deliveries/:delivery/retry'],
  ['GET', '/v1/steps/:step'],
  ['GET', '/v1/steps/:step/metrics'],
  ['GET', '/v1/steps/:step/trace'],
  ['GET', '/v1/telemetry/:step'],
  ['GET', '/v1/providers/:provider'],
  ['PATCH', '/v1/providers/:provider', { region: 'x' }],
  ['DELETE', '/v1/providers/:provider'],
  ['POST', '/v1/providers/:provider/check'],
  ['PATCH', '/v1/providers/:provider/refresh'],
  ['GET', '/v1/steps/:step/messages'],
  ['PATCH', '/v1/steps/:step/feedback', { feedback: 'positive' }],
]

const OTHER = 'org-other'
let server: TestServer
/** What another organisation owns. */
const foreign: Partial<Record<IdPrefix, string>> = {}

const insertSchedule = statement(
  'test-insert-foreign-schedule',
  `insert into schedules (organization_id, id, agent_id, scheduled_at, message, request, input, created_by_id)
   values ($1, $2, $3, now(), '{}', '{}', '[]', 'user-x')`,
)
const insertBatch = statement(
  'test-insert-foreign-batch',
  `insert into batches (organization_id, id, item_count, created_by_id, completed_at) values ($1, $2, 0, 'user-x', now())`,
)
const insertProvider = statement(
  'test-insert-foreign-provider',
  `insert into providers (organization_id, id, name, provider_type) values ($1, $2, 'theirs', 'openai')`,
)
const insertDelivery = statement(
  'test-insert-foreign-delivery',
  `insert into webhook_deliveries (organization_id, id, run_id, url, status, completed_at, state)
   values ($1, $2, $3, 'https://example.org', 'completed', now(), 'dead')`,
)

beforeAll(async () => {
  server = await startTestServer()
  const { db } = server.context
  const turn = await seedTurn(db, OTHER)
  await ensureBuiltinTools(db, OTHER)
  const [tool] = await db.query<{ id: string }>(
    statement('test-find-foreign-tool', 'select id from tools where organization_id = $1 limit 1'),
    [OTHER],
  )
  foreign.agent = turn.agentId
  foreign.schedule = newId('schedule')
  foreign.job = newId('job')
  foreign.delivery = newId('delivery')
  await db.query(insertSchedule, [OTHER, foreign.schedule, turn.agentId])
  await db.query(insertBatch, [OTHER, foreign.job])
  await db.query(insertDelivery, [OTHER, foreign.delivery, turn.runId])
  foreign.run = turn.runId
  foreign.provider = newId('provider')
  await db.query(insertProvider, [OTHER, foreign.provider])
  foreign.step = turn.stepId
  foreign.tool = tool?.id ?? ''
  foreign.block = (await createBlock(db, OTHER, { label: 'a', value: '' }, { type: 'user', userId: 'user-x' })).id
  foreign.passage = (
    await insertPassage(db, { organizationId: OTHER, userId: 'user-x' }, turn.agentId, { text: 'boat' })
  ).id
})
afterAll(() => server.close())

const withIds = (url: string, idOf: (prefix: IdPrefix) => string) =>
  url.replace(/:(\w+)/g, (_, prefix: IdPrefix) => idOf(prefix))

describe.each(OPERATIONS)('%s %s', (method, url, body) => {
  test('an unknown id is 404', async () => {
    const response = await server.request(method, withIds(url, newId), body)
    expect(response.status).toBe(404)
    expect(typeof response.body.detail).toBe('string')
  })

  test("another organisation's id is 404, and nothing happens to it", async () => {
    const response = await server.request(
      method,
      withIds(url, (prefix) => foreign[prefix] ?? ''),
      body,
    )
    expect(response.status).toBe(404)
  })

  test.each(['x', 'agent-1', `thing-${crypto.randomUUID()}`, '%E2%82%AC', "'; drop table blocks; --"])(
    'the malformed id %s is 422 and says what is right',
    async (id) => {
      const response = await server.request(
        method,
        withIds(url, () => encodeURIComponent(decodeURIComponent(id))),
        body,
      )
      expect(response.status).toBe(422)
      expect(response.body.detail).toMatch(/String should match pattern '\w+-\{uuid4\}'/)
    },
  )
})

test('nothing of another organisation is in any list', async () => {
  for (const url of [
    '/v1/blocks/',
    '/v1/runs/',
    '/v1/steps/',
    '/v1/tags/',
    '/v1/messages/batches',
    '/v1/webhooks/deliveries',
    '/v1/providers/',
    '/v1/runs/active',
  ]) {
    expect((await server.request('GET', url)).body).toEqual([])
  }
  expect((await server.request('POST', '/v1/passages/search', { query: 'boat' })).body).toEqual([])
  const find = statement('test-count-foreign', 'select count(*) as count from blocks where organization_id = $1')
  expect(await server.context.db.query(find, [OTHER])).toEqual([{ count: 1 }])
  expect(await server.context.db.query(find, [DEFAULT_ORGANIZATION_ID])).toEqual([{ count: 0 }])
})
