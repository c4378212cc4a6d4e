import { afterAll, beforeAll, expect, test } from 'vitest'
import { startCallbackReceiver } from '../support/callback-receiver.ts'
import { lastUserText, scriptedModel } from '../support/scripted-model.ts'
import { startTestServer, type TestServer } from '../support/test-server.ts'

const model = scriptedModel((request) => ({ text: `You said: ${lastUserText(request)}` }))
let server: TestServer
let agentId: string
beforeAll(async () => {
  server = await startTestServer({ models: model.registry, config: { webhookAddresses: 'any' } })
  agentId = await newAgent()
})
afterAll(() => server.close())

const newAgent = async () =>
  (await server.request<{ id: string }>('POST', '/v1/agents/', { model: 'openai/gpt-4o-mini' })).body.id
const messages = [{ role: 'user' as const, content: 'Good morning' }]
const eventually = { timeout: 15_000, interval: 50 }
const SOON_MS = 300

test('a message is sent once, at its time, by the official client', async () => {
  await using receiver = await startCallbackReceiver()
  const client = await server.sdk()
  const scheduled_at = Date.now() + SOON_MS
  const created = await client.agents.schedule.create(agentId, {
    messages,
    schedule: { type: 'one-time', scheduled_at },
    callback_url: receiver.url,
    max_steps: 3,
  })
  expect(Date.parse(created.next_scheduled_at ?? '')).toBe(scheduled_at)
  const retrieve = () => client.agents.schedule.retrieve(created.id, { agent_id: agentId })
  expect(await retrieve()).toEqual({
    id: created.id,
    agent_id: agentId,
    message: { messages, callback_url: receiver.url, max_steps: 3 },
    next_scheduled_time: created.next_scheduled_at,
    schedule: { type: 'one-time', scheduled_at },
  })
  await expect.poll(() => receiver.received.length, eventually).toBe(1)
  const [callback] = receiver.received
  expect(callback?.body).toMatchObject({
    status: 'completed',
    metadata: {
      run_type: 'scheduled_message',
      schedule_id: created.id,
      scheduled_for: new Date(scheduled_at).toISOString(),
    },
  })
  const run = await client.runs.retrieve(String(callback?.body.run_id))
  expect(run).toMatchObject({ agent_id: agentId, background: true })
  expect(Date.parse(run.created_at ?? '')).toBeGreaterThanOrEqual(scheduled_at)
  const said = await server.request<{ content: string }[]>('GET', `/v1/runs/${run.id}/messages`)
  expect(said.body.map(({ content }) => content)).toEqual(['Good morning', 'You said: Good morning'])
  expect(await retrieve()).toMatchObject({ next_scheduled_time: null })
})

test('recurring messages, in a time zone; pages; deletion', async () => {
  const client = await server.sdk()
  const agent = await newAgent()
  const ids: string[] = []
  for (const cron_expression of ['0 9 * * 1-5', '@daily', '*/5 * * * *']) {
    const schedule = { type: 'recurring' as const, cron_expression, timezone: 'Asia/Tokyo' }
    ids.push((await client.agents.schedule.create(agent, { messages, schedule })).id)
  }
  const first = await client.agents.schedule.list(agent, { limit: '2' })
  expect(first.has_next_page).toBe(true)
  expect(first.scheduled_messages.map(({ id }) => id)).toEqual(ids.slice(0, 2))
  const [weekdays, daily] = first.scheduled_messages
  expect(weekdays?.schedule).toEqual({ type: 'recurring', cron_expression: '0 9 * * 1-5', timezone: 'Asia/Tokyo' })
  // nine in Tokyo and midnight in Tokyo
  expect(weekdays?.next_scheduled_time).toMatch(/T00:00:00.000Z$/)
  expect(daily?.next_scheduled_time).toMatch(/T15:00:00.000Z$/)
  const second = await client.agents.schedule.list(agent, { limit: '2', after: ids[1] ?? '' })
  expect(second).toMatchObject({ has_next_page: false, scheduled_messages: [{ id: ids[2] }] })

  expect(await client.agents.schedule.delete(ids[0] ?? '', { agent_id: agent })).toEqual({ success: true })
  const gone = `/v1/agents/${agent}/schedule/${ids[0]}`
  expect((await server.request('GET', gone)).status).toBe(404)
  expect((await server.request('DELETE', gone)).status).toBe(404)
  // of this agent, not of any
  expect((await server.request('GET', `/v1/agents/${agentId}/schedule/${ids[1]}`)).status).toBe(404)
  expect((await server.request('DELETE', `/v1/agents/${agent}`)).status).toBe(200)
  expect((await server.request('GET', `/v1/agents/${agent}/schedule`)).status).toBe(404)
})

test.each([
  [{ type: 'recurring', cron_expression: 'every day' }, 'five fields'],
  [{ type: 'recurring', cron_expression: '0 0 30 2 *' }, 'never comes'],
  [{ type: 'recurring', cron_expression: '* * * * *', timezone: 'Mars/Olympus' }, 'Mars/Olympus'],
  [{ type: 'one-time', scheduled_at: 'tomorrow' }, 'scheduled_at'],
  [{ type: 'one-time', scheduled_at: 1e15 }, 'scheduled_at'],
  [{ type: 'recurring', scheduled_at: 1 }, 'schedule'],
])('the schedule %j is 422', async (schedule, problem) => {
  const { status, body } = await server.request('POST', `/v1/agents/${agentId}/schedule`, { messages, schedule })
  expect([status, body.detail]).toEqual([422, expect.stringContaining(problem)])
})

test('an unknown agent, an empty message and a private callback are refused', async () => {
  const schedule = { scheduled_at: Date.now() + 3_600_000 }
  const unknown = '/v1/agents/agent-01234567-89ab-4def-8123-456789abcdef/schedule'
  expect((await server.request('POST', unknown, { messages, schedule })).status).toBe(404)
  const url = `/v1/agents/${agentId}/schedule`
  expect((await server.request('POST', url, { messages: [], schedule })).status).toBe(422)
  expect((await server.request('POST', url, { messages: [{ role: 'user', content: ' ' }], schedule })).status).toBe(422)
  const callback = { messages, schedule, callback_url: 'file:///etc/passwd' }
  expect((await server.request('POST', url, callback)).status).toBe(400)
})
