import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { callServer } from '../support/call-server.ts'
import { startCallbackReceiver } from '../support/callback-receiver.ts'
import { type KillableServer, prepareKillableServer } from '../support/killable-server.ts'

const ITEMS = 16
const KILLS = 3
const PROVIDER_DELAY_MS = 150

let killable: KillableServer
beforeAll(async () => {
  killable = await prepareKillableServer('instant-text', PROVIDER_DELAY_MS, {
    PERDURE_WEBHOOK_ADDRESSES: 'any',
    PERDURE_BATCH_RUNS: '2',
  })
})
afterAll(() => killable.remove())

interface Run {
  id: string
  status: string
  metadata: { batch_id?: string; schedule_id?: string }
}

it('a batch and schedules outlive kill -9 and a time without a server, and everything starts once', async () => {
  await using receiver = await startCallbackReceiver()
  let server = await killable.start()
  const call = <Body>(method: string, path: string, body?: object) => callServer<Body>(server.url, method, path, body)
  const createAgent = () => call<{ id: string }>('POST', '/v1/agents/', { model: 'openai/gpt-4o-mini' })
  const agents = [await createAgent(), await createAgent(), await createAgent(), await createAgent()]
  const requests = Array.from({ length: ITEMS }, (_, index) => ({
    agent_id: agents[index % agents.length]?.id,
    input: `hello ${index}`,
  }))
  const callback_url = receiver.url
  const batch = await call<{ id: string }>('POST', '/v1/messages/batches', { requests, callback_url })
  const retrieve = () => call<{ status: string; metadata: object }>('GET', `/v1/messages/batches/${batch.id}`)
  const listRuns = async () => (await call<Run[]>('GET', '/v1/runs/?limit=1000')).filter((run) => run.metadata.batch_id)

  let ended = 0
  for (let kill = 1; kill <= KILLS; kill += 1) {
    // some more have ended, and not all
    const hasGoneOn = async () => (await listRuns()).filter(({ status }) => status === 'completed').length > ended
    await expect.poll(hasGoneOn, { timeout: 20_000, interval: 10 }).toBe(true)
    ended = (await listRuns()).filter(({ status }) => status === 'completed').length
    expect(ended).toBeLessThan(ITEMS)
    if (kill === KILLS) break
    await server.kill()
    server = await killable.start()
  }
  // due while nobody is there
  const scheduled_at = Date.now() + 600
  const messages = [{ role: 'user', content: 'Good morning' }]
  const schedule = { type: 'one-time', scheduled_at }
  const scheduled = await call<{ id: string }>('POST', `/v1/agents/${agents[0]?.id}/schedule`, { messages, schedule })
  await server.kill()
  await sleep(Math.max(scheduled_at - Date.now(), 0) + 100)
  server = await killable.start()

  await expect
    .poll(retrieve, { timeout: 40_000, interval: 100 })
    .toMatchObject({ status: 'completed', metadata: { requests: ITEMS, completed: ITEMS, failed: 0 } })
  const runs = await listRuns()
  expect(runs).toHaveLength(ITEMS)
  const { messages: said } = await call<{ messages: { role: string; content: { text: string }[] }[] }>(
    'GET',
    `/v1/messages/batches/${batch.id}/messages?limit=1000`,
  )
  const asked = said.filter(({ role }) => role === 'user').map(({ content }) => content[0]?.text)
  expect(asked.toSorted()).toEqual(requests.map(({ input }) => input).toSorted())
  expect(said.filter(({ role }) => role === 'assistant')).toHaveLength(ITEMS)

  const runsOfSchedule = async () =>
    (await call<Run[]>('GET', '/v1/runs/?limit=1000'))
      .filter((run) => run.metadata.schedule_id === scheduled.id)
      .map(({ status }) => status)
  await expect.poll(runsOfSchedule, { timeout: 20_000, interval: 100 }).toEqual(['completed'])
  await expect.poll(() => receiver.received.length, { timeout: 20_000 }).toBeGreaterThan(0)
  expect(new Set(receiver.received.map(({ headers }) => headers['webhook-id'])).size).toBe(1)
  expect(await server.stop()).toBe(0)
}, 120_000)
