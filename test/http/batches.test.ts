import { afterAll, beforeAll, expect, test } from 'vitest'
import { statement } from '#store/db.ts'
import { startCallbackReceiver } from '../support/callback-receiver.ts'
import { lastUserText, scriptedModel } from '../support/scripted-model.ts'
import { startTestServer, type TestServer } from '../support/test-server.ts'

const MAX_RUNS = 3

/** Requests that are being answered now, and the most that ever were. */
let underWay = 0
let peak = 0
const model = scriptedModel(async (request) => {
  const text = lastUserText(request)
  underWay += 1
  peak = Math.max(peak, underWay)
  await new Promise((resolve) => {
    const timer = setTimeout(resolve, text === 'slow' ? 20_000 : 20)
    request.signal.addEventListener('abort', () => {
      clearTimeout(timer)
      resolve(undefined)
    })
  })
  underWay -= 1
  return { reasoning: 'Well.', text: `You said: ${text}` }
})

interface BatchWire {
  id: string
  status: string
  metadata: Record<string, number>
  completed_at: string | null
  callback_status_code: number | null
}
interface MessageWire {
  id: string
  role: string
  agent_id: string
  run_id: string
  content: { type: string; text?: string }[]
}

let server: TestServer
const agents: string[] = []
beforeAll(async () => {
  const config = { webhookAddresses: 'any', batchRuns: MAX_RUNS } as const
  server = await startTestServer({ models: model.registry, config })
  for (let index = 0; index < 5; index++) {
    const agent = await server.request<{ id: string }>('POST', '/v1/agents/', { model: 'openai/gpt-4o-mini' })
    agents.push(agent.body.id)
  }
})
afterAll(() => server.close())

const URL = '/v1/messages/batches'
const eventually = { timeout: 15_000, interval: 50 }
const create = (requests: object[], more: object = {}) => server.request<BatchWire>('POST', URL, { requests, ...more })
const retrieve = async (id: string) => (await server.request<BatchWire>('GET', `${URL}/${id}`)).body
const requestsOf = (count: number, input = 'hello') =>
  Array.from({ length: count }, (_, index) => ({ agent_id: agents[index % agents.length], input: `${input} ${index}` }))
const counts = statement(
  'test-count-batches',
  'select (select count(*) from batches) as batches, (select count(*) from batch_items) as items, (select count(*) from runs) as runs',
)

test('all requests are answered, in order for each agent, a few at a time, and the end is told', async () => {
  await using receiver = await startCallbackReceiver()
  peak = 0
  const created = await create(requestsOf(15), { callback_url: receiver.url })
  expect(created.status).toBe(200)
  const { id } = created.body
  expect(created.body).toMatchObject({ status: 'running', metadata: { requests: 15 }, completed_at: null })
  await expect
    .poll(() => retrieve(id), eventually)
    .toMatchObject({
      status: 'completed',
      metadata: { requests: 15, completed: 15, failed: 0, cancelled: 0 },
      callback_status_code: 200,
    })
  expect(peak).toBeGreaterThan(1)
  expect(peak).toBeLessThanOrEqual(MAX_RUNS)
  const { completed_at } = await retrieve(id)
  expect(receiver.received.map(({ body }) => body)).toMatchObject([{ job_id: id, status: 'completed', completed_at }])

  const all = await server.request<{ messages: MessageWire[] }>('GET', `${URL}/${id}/messages?order=asc`)
  expect(all.body.messages).toHaveLength(30)
  for (const [index, agent] of agents.entries()) {
    const path = `${URL}/${id}/messages?order=asc&agent_id=${agent}`
    const { messages } = (await server.request<{ messages: MessageWire[] }>('GET', path)).body
    const texts = messages.map(({ role, content }) => `${role}: ${content.map(({ text }) => text ?? '').join('')}`)
    const expected = [index, index + 5, index + 10].flatMap((n) => [
      `user: hello ${n}`,
      `assistant: You said: hello ${n}`,
    ])
    expect(texts).toEqual(expected)
  }
  const first = await server.request<{ messages: MessageWire[] }>('GET', `${URL}/${id}/messages?order=asc&limit=4`)
  const after = first.body.messages.at(-1)?.id ?? ''
  const next = await server.request<{ messages: MessageWire[] }>(
    'GET',
    `${URL}/${id}/messages?order=asc&limit=4&after=${after}`,
  )
  const ids = all.body.messages.map((message) => message.id)
  expect([...first.body.messages, ...next.body.messages].map((message) => message.id)).toEqual(ids.slice(0, 8))
})

test('a batch that is cancelled starts nothing more and stops what runs', async () => {
  const { body } = await create(requestsOf(10, 'slow').map((request) => ({ ...request, input: 'slow' })))
  await expect.poll(() => underWay, eventually).toBe(MAX_RUNS)
  const asked = model.requests.length
  const cancelled = await server.request<BatchWire>('PATCH', `${URL}/${body.id}/cancel`)
  expect(cancelled.body).toMatchObject({ id: body.id, status: 'cancelled' })
  await expect.poll(async () => (await retrieve(body.id)).completed_at, eventually).not.toBeNull()
  expect(await retrieve(body.id)).toMatchObject({
    status: 'cancelled',
    stop_reason: 'cancelled',
    metadata: { requests: 10, completed: 0, failed: 0, cancelled: 10 },
  })
  expect(model.requests.length).toBe(asked)
  expect((await server.request('GET', '/v1/runs/?active=true')).body).toEqual([])
  // once more changes nothing
  const again = await server.request<BatchWire>('PATCH', `${URL}/${body.id}/cancel`)
  expect(again.body).toEqual(await retrieve(body.id))
})

test('an agent that is deleted meanwhile fails its request and no other', async () => {
  const doomed = await server.request<{ id: string }>('POST', '/v1/agents/', { model: 'openai/gpt-4o-mini' })
  const held = agents.slice(0, MAX_RUNS).map((agent_id) => ({ agent_id, input: 'slow' }))
  const { body } = await create([...held, { agent_id: doomed.body.id, input: 'hello' }])
  await expect.poll(() => underWay, eventually).toBe(MAX_RUNS)
  await server.request('DELETE', `/v1/agents/${doomed.body.id}`)
  for (const agent of agents.slice(0, MAX_RUNS)) {
    await server.request('POST', `/v1/agents/${agent}/messages/cancel`, {})
  }
  await expect
    .poll(() => retrieve(body.id), eventually)
    .toMatchObject({
      status: 'failed',
      metadata: { requests: 4, completed: 0, failed: 1, cancelled: 3 },
    })
})

test('a batch with anything wrong in it is refused whole', async () => {
  const before = await server.context.db.query(counts)
  const good = { agent_id: agents[0], input: 'hello' }
  const unknown = 'agent-01234567-89ab-4def-8123-456789abcdef'
  for (const [requests, status, detail] of [
    [[good, { agent_id: unknown, input: 'x' }], 404, unknown],
    [[good, { agent_id: agents[0], input: ' ' }], 422, 'requests.1'],
    [[good, { agent_id: agents[0] }], 422, 'requests.1'],
    [[good, { agent_id: 'me', input: 'x' }], 422, 'requests.1.agent_id'],
    [[good, { ...good, client_tools: [{ name: 'x' }, { name: 'x' }] }], 422, 'requests.1'],
    [[], 422, 'requests'],
  ] as const) {
    const response = await create([...requests])
    expect([response.status, (response.body as { detail?: string }).detail]).toEqual([
      status,
      expect.stringContaining(detail),
    ])
  }
  expect((await create([good], { callback_url: 'ftp://example.org/' })).status).toBe(400)
  expect(await server.context.db.query(counts)).toEqual(before)
})

test('batches are listed in pages', async () => {
  const all = (await server.request<BatchWire[]>('GET', URL)).body.map(({ id }) => id)
  expect(all).toHaveLength(3)
  const second = await server.request<BatchWire[]>('GET', `${URL}?limit=1&after=${all[0]}`)
  expect(second.body.map(({ id }) => id)).toEqual([all[1]])
  expect((await server.request('GET', `${URL}?after=job-01234567-89ab-4def-8123-456789abcdef`)).status).toBe(404)
})
