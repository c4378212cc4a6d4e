import { createHmac } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { DEFAULT_ORGANIZATION_ID } from '#platform/ids.ts'
import { statement } from '#store/db.ts'
import { startCallbackReceiver } from '../support/callback-receiver.ts'
import { lastUserText, scriptedModel } from '../support/scripted-model.ts'
import { startTestServer, type TestServer } from '../support/test-server.ts'

const DELIVERY = 'delivery-00000000-0000-4000-8000-000000000001'
const insertDelivery = statement(
  'test-insert-delivery',
  `insert into webhook_deliveries (organization_id, id, run_id, url, status, completed_at)
   values ($1, $2, replace($2, 'delivery', 'run'), $3, 'completed', now())`,
)
const KEY = Buffer.from('0123456789abcdef0123456789abcdef')
const SECRET = `whsec_${KEY.toString('base64')}`

interface RunWire {
  id: string
  callback_sent_at: string | null
  callback_status_code: number | null
  callback_error: string | null
}
interface DeliveryWire {
  id: string
  run_id: string
  state: string
  attempt_count: number
  last_status_code: number | null
  last_error: string | null
  next_attempt_at: string | null
}

let server: TestServer
let agentId: string
const newAgent = async (of: TestServer) =>
  (await of.request<{ id: string }>('POST', '/v1/agents/', { model: 'openai/gpt-4o-mini' })).body.id

beforeAll(async () => {
  server = await startTestServer({
    models: scriptedModel((request) => ({ text: 'Hello.', delayMs: lastUserText(request) === 'slow' ? 20_000 : 0 }))
      .registry,
    config: { webhookSecret: `${SECRET} old-secret`, webhookAddresses: 'any', webhookTimeoutMs: 300 },
  })
  agentId = await newAgent(server)
})
afterAll(() => server.close())

async function runWithCallback(url: string, input = 'hello'): Promise<string> {
  const body = { input, callback_url: url }
  const { status, body: run } = await server.request<RunWire>('POST', `/v1/agents/${agentId}/messages/async`, body)
  expect(status).toBe(200)
  return run.id
}
const deliveryOf = (runId: string) => runId.replace('run-', 'delivery-')
const getDelivery = async (runId: string) =>
  (await server.request<DeliveryWire>('GET', `/v1/webhooks/deliveries/${deliveryOf(runId)}`)).body
const getRun = async (runId: string) => (await server.request<RunWire>('GET', `/v1/runs/${runId}`)).body
const eventually = { timeout: 15_000, interval: 50 }

test('the end of a run is told, signed with each secret, and shown on the run', async () => {
  await using receiver = await startCallbackReceiver()
  const runId = await runWithCallback(receiver.url)
  await expect.poll(() => getDelivery(runId), eventually).toMatchObject({ state: 'delivered', attempt_count: 1 })
  const [callback, ...others] = receiver.received
  expect(others).toEqual([])
  const run = await getRun(runId)
  expect(callback?.body).toEqual({
    run_id: runId,
    status: 'completed',
    completed_at: (run as unknown as { completed_at: string }).completed_at,
    metadata: { run_type: 'send_message_async' },
  })
  expect(run).toMatchObject({ callback_status_code: 200, callback_error: null })
  expect(Date.parse(run.callback_sent_at ?? '')).toBeLessThanOrEqual(Date.now())

  const { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signature } = callback?.headers ?? {}
  expect(id).toBe(deliveryOf(runId))
  expect(Math.abs(Number(timestamp) - Date.now() / 1000)).toBeLessThan(60)
  const sign = (key: string | Buffer) =>
    `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${callback?.raw}`).digest('base64')}`
  expect(signature).toBe(`${sign(KEY)} ${sign('old-secret')}`)

  // what the documentation tells receivers to do
  const page = await readFile(new URL('../../docs/async-work.md', import.meta.url), 'utf8')
  const code = /```js\n(import \{ createHmac[\s\S]*?)```/.exec(page)?.[1] ?? ''
  const { isFromPerdure } = await import(`data:text/javascript,${encodeURIComponent(code)}`)
  expect(isFromPerdure(callback?.headers, callback?.raw, SECRET)).toBe(true)
  expect(isFromPerdure(callback?.headers, `${callback?.raw} `, SECRET)).toBe(false)
  expect(isFromPerdure({ ...callback?.headers, 'webhook-timestamp': '1' }, callback?.raw, SECRET)).toBe(false)
  expect(isFromPerdure({ 'webhook-id': id, 'webhook-timestamp': timestamp }, callback?.raw, SECRET)).toBe(false)
})

test('a receiver that fails or hangs is asked again with the same id and body', async () => {
  await using receiver = await startCallbackReceiver((index) => (index === 0 ? 500 : 200))
  const runId = await runWithCallback(receiver.url)
  await expect.poll(() => getRun(runId), eventually).toMatchObject({ callback_status_code: 500 })
  expect(await getRun(runId)).toMatchObject({ callback_error: 'the receiver answered 500' })
  await expect.poll(() => getDelivery(runId), eventually).toMatchObject({ state: 'delivered', attempt_count: 2 })
  const [first, second] = receiver.received
  expect(second?.raw).toBe(first?.raw)
  expect(second?.headers['webhook-id']).toBe(first?.headers['webhook-id'])
  expect(await getRun(runId)).toMatchObject({ callback_status_code: 200, callback_error: null })
})

test('what hangs is given up after the time-out, and what redirects is not followed', async () => {
  await using target = await startCallbackReceiver()
  await using receiver = await startCallbackReceiver((_, { path }) =>
    path === '/hang' ? 'hang' : { status: 307, headers: { location: target.url } },
  )
  const hanging = await runWithCallback(receiver.url.replace('/done', '/hang'))
  const redirected = await runWithCallback(receiver.url)
  await expect.poll(() => getDelivery(hanging), eventually).toMatchObject({ last_error: 'no answer in 300 ms' })
  await expect
    .poll(() => getDelivery(redirected), eventually)
    .toMatchObject({ last_status_code: 307, state: 'pending', last_error: expect.stringContaining('not followed') })
  expect(target.received).toEqual([])
})

test('a cancelled run is told too, also one that never started', async () => {
  await using receiver = await startCallbackReceiver()
  const runs = [await runWithCallback(receiver.url, 'slow'), await runWithCallback(receiver.url, 'slow')]
  expect(await getRun(runs[1] ?? '')).toMatchObject({ status: 'created' })
  const cancelled = await server.request('POST', `/v1/agents/${agentId}/messages/cancel`, { run_ids: runs })
  expect(cancelled.body, JSON.stringify(cancelled)).toEqual(Object.fromEntries(runs.map((id) => [id, 'cancelled'])))
  await expect.poll(() => receiver.received.length, eventually).toBe(2)
  const told = receiver.received.map(({ body }) => [body.run_id, body.status])
  expect(told.toSorted()).toEqual(runs.map((runId) => [runId, 'cancelled']).toSorted())
})

describe('the dead', () => {
  test('a refusal for good is dead at once, is listed, and can be sent again', async () => {
    await using receiver = await startCallbackReceiver((index) => (index === 0 ? 410 : 200))
    const runId = await runWithCallback(receiver.url)
    await expect
      .poll(() => getDelivery(runId), eventually)
      .toMatchObject({ state: 'dead', last_status_code: 410, next_attempt_at: null })
    const dead = await server.request<DeliveryWire[]>('GET', '/v1/webhooks/deliveries?state=dead')
    expect(dead.body.map((delivery) => delivery.run_id)).toEqual([runId])

    const retry = `/v1/webhooks/deliveries/${deliveryOf(runId)}/retry`
    expect((await server.request('POST', retry)).body).toMatchObject({ state: 'pending' })
    await expect.poll(() => getDelivery(runId), eventually).toMatchObject({ state: 'delivered', attempt_count: 2 })
    expect((await server.request('GET', '/v1/webhooks/deliveries?state=dead')).body).toEqual([])
  })

  test('what is still being tried is not sent a second time', async () => {
    await using receiver = await startCallbackReceiver(() => 503)
    const runId = await runWithCallback(receiver.url)
    await expect.poll(() => getDelivery(runId), eventually).toMatchObject({ state: 'pending', attempt_count: 1 })
    const retry = await server.request('POST', `/v1/webhooks/deliveries/${deliveryOf(runId)}/retry`)
    expect(retry.status).toBe(409)
  })
})

test('pages of callbacks', async () => {
  const all = (await server.request<DeliveryWire[]>('GET', '/v1/webhooks/deliveries')).body.map(({ id }) => id)
  expect(all.length).toBeGreaterThan(3)
  const first = await server.request<DeliveryWire[]>('GET', '/v1/webhooks/deliveries?limit=2')
  const after = first.body[1]?.id ?? ''
  const second = await server.request<DeliveryWire[]>('GET', `/v1/webhooks/deliveries?limit=2&after=${after}`)
  expect([...first.body, ...second.body].map(({ id }) => id)).toEqual(all.slice(0, 4))
})

test('addresses that no callback can go to are refused, and nothing is stored', async () => {
  await using strict = await startTestServer({ models: scriptedModel(() => ({ text: 'Hi.' })).registry }).then(
    (started) => Object.assign(started, { [Symbol.asyncDispose]: () => started.close() }),
  )
  const agent = await newAgent(strict)
  for (const [callback_url, status] of [
    ['ftp://example.org/x', 400],
    ['javascript:alert(1)', 400],
    ['http://user:pw@example.org/', 400],
    ['http://127.0.0.1:8283/', 400],
    ['http://localhost:9/done', 400],
    ['http://metadata.google.internal/', 400],
    ['https://example.org:6379/', 400],
    ['http://2130706433/', 400],
    ['http://[::1]/', 400],
    ['http://[::ffff:10.0.0.1]/', 400],
    ['http://169.254.169.254/latest/meta-data', 400],
    ['no url', 422],
    [`https://example.org/${'x'.repeat(2083)}`, 422],
  ] as const) {
    const response = await strict.request('POST', `/v1/agents/${agent}/messages/async`, { input: 'x', callback_url })
    expect([callback_url, response.status]).toEqual([callback_url, status])
  }
  expect((await strict.request('GET', '/v1/runs/')).body).toEqual([])

  // one that was stored when it was allowed is not sent any more
  await strict.context.db.query(insertDelivery, [DEFAULT_ORGANIZATION_ID, DELIVERY, 'http://localhost:9/done'])
  await expect
    .poll(async () => (await strict.request('GET', `/v1/webhooks/deliveries/${DELIVERY}`)).body, eventually)
    .toMatchObject({ state: 'dead', last_error: expect.stringContaining('not on the public internet') })
})
