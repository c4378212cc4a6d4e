import { afterAll, beforeAll, expect, test } from 'vitest'
import { CompanionStarter } from '#jobs/start-companion-runs.ts'
import { createLogger } from '#platform/logger.ts'
import { statement } from '#store/db.ts'
import { lastUserText, type Script, scriptedModel } from '../support/scripted-model.ts'
import { startTestServer, type TestServer } from '../support/test-server.ts'

interface Agent {
  id: string
  managed_group: { id: string; agent_ids: string[] }
}
interface Answer {
  usage: { run_ids: string[] | null }
}
interface Run {
  id: string
  status: string
  background: boolean
  metadata: Record<string, unknown>
}
interface Message {
  message_type: string
  content: string
  run_id: string | null
}

/** What the companion was told, each time. */
const told: string[] = []
const script: Script = (request) => {
  const text = lastUserText(request)
  if (!text.includes('sleeptime agent')) return { text: 'Yes.' }
  if (request.messages.at(-1)?.role === 'tool') return { toolCalls: [{ name: 'memory_finish_edits', arguments: {} }] }
  told.push(text)
  return { toolCalls: [{ name: 'memory_rethink', arguments: { label: 'human', new_memory: `Heard ${told.length}` } }] }
}

let server: TestServer
beforeAll(async () => {
  server = await startTestServer({ models: scriptedModel(script).registry })
})
afterAll(() => server.close())

async function newAgent(frequency: number | null): Promise<Agent> {
  const { body } = await server.request<Agent>('POST', '/v1/agents', {
    model: 'openai/gpt-4o-mini',
    enable_sleeptime: true,
    memory_blocks: [{ label: 'human', value: '' }],
  })
  const manager_config = { manager_type: 'sleeptime', sleeptime_agent_frequency: frequency }
  const changed = await server.request('PATCH', `/v1/groups/${body.managed_group.id}`, { manager_config })
  expect(changed.body).toMatchObject({ manager_agent_id: body.id, sleeptime_agent_frequency: frequency })
  return body
}
const send = async (id: string, input: string, headers?: Record<string, string>) =>
  (await server.request<Answer>('POST', `/v1/agents/${id}/messages`, { input }, headers)).body
const groupOf = async (agent: Agent) => (await server.request('GET', `/v1/groups/${agent.managed_group.id}`)).body
const runsOf = async (id: string | undefined) => (await server.request<Run[]>('GET', `/v1/runs?agent_id=${id}`)).body
async function ended(runId: string | undefined): Promise<Run> {
  const read = async () => (await server.request<Run>('GET', `/v1/runs/${runId}`)).body
  await expect.poll(async () => (await read()).status, { timeout: 15_000, interval: 50 }).toBe('completed')
  return read()
}

test('works after every n turns, with what was said since, and changes the shared memory', async () => {
  const agent = await newAgent(2)
  const [companion] = agent.managed_group.agent_ids
  told.length = 0
  expect((await send(agent.id, 'one')).usage.run_ids).toBeNull()
  expect(await groupOf(agent)).toMatchObject({ turns_counter: 1, last_processed_message_id: null })
  const { usage } = await send(agent.id, 'two')
  expect(usage.run_ids).toEqual([
    expect.stringMatching(/^run-[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}$/),
  ])
  const run = await ended(usage.run_ids?.[0])
  expect(run.background).toBe(true)
  expect(run.metadata).toMatchObject({
    run_type: 'sleeptime_agent_send_message_async',
    group_id: agent.managed_group.id,
    main_agent_id: agent.id,
  })
  expect(told).toHaveLength(1)
  expect(told[0]).toMatch(/user: one.*assistant: Yes\..*user: two.*assistant: Yes\./s)
  const block = await server.request('GET', `/v1/agents/${agent.id}/core-memory/blocks/human`)
  expect(block.body.value).toBe('Heard 1')
  const group = await groupOf(agent)
  expect(group).toMatchObject({ turns_counter: 2, last_processed_message_id: expect.stringMatching(/^message-/) })

  await send(agent.id, 'three')
  const next = await send(agent.id, 'four')
  await ended(next.usage.run_ids?.[0])
  expect(told[1]).toMatch(/user: three.*user: four/s)
  expect(told[1]).not.toContain('user: two')
  expect(await runsOf(companion)).toHaveLength(2)
  // the companion has nobody behind it, and its turns count for nothing
  expect(await groupOf(agent)).toMatchObject({ turns_counter: 4 })
})

test('works after every turn without a frequency; streams and repeated answers tell the same run', async () => {
  const agent = await newAgent(null)
  const stream = await server.app.inject({
    method: 'POST',
    url: `/v1/agents/${agent.id}/messages`,
    payload: { input: 'x', streaming: true },
  })
  const [, runId] = /"run_ids":\["(run-[^"]+)"\]/.exec(stream.body) ?? []
  await ended(runId)
  const headers = { 'idempotency-key': crypto.randomUUID() }
  const first = await send(agent.id, 'y', headers)
  expect(first.usage.run_ids).toHaveLength(1)
  expect((await send(agent.id, 'y', headers)).usage).toEqual(first.usage)
})

test('shares blocks that the agent has got since, and loses those that it has lost', async () => {
  const agent = await newAgent(1)
  const [companion] = agent.managed_group.agent_ids
  const create = async (label: string) =>
    (await server.request<{ id: string }>('POST', '/v1/blocks', { label, value: '' })).body.id
  const block = await create('plan')
  // the companion has one of this label, which stays its own
  const other = await create('memory_persona')
  const place = (verb: string, id: string) => `/v1/agents/${agent.id}/core-memory/blocks/${verb}/${id}`
  for (const id of [block, other]) expect((await server.request('PATCH', place('attach', id))).status).toBe(200)
  const labels = async () =>
    (await server.request<{ id: string }[]>('GET', `/v1/agents/${companion}/core-memory/blocks`)).body.map(
      ({ id }) => id,
    )
  expect(await labels()).not.toContain(block)
  await ended((await send(agent.id, 'x')).usage.run_ids?.[0])
  expect(await labels()).toContain(block)
  expect(await labels()).not.toContain(other)
  await server.request('PATCH', place('detach', block))
  expect(await labels()).not.toContain(block)
})

test('does nothing while it is switched off, and nothing for an agent without it', async () => {
  const agent = await newAgent(1)
  await server.request('PATCH', `/v1/agents/${agent.id}`, { enable_sleeptime: false })
  expect((await send(agent.id, 'x')).usage.run_ids).toBeNull()
  expect(await groupOf(agent)).toMatchObject({ turns_counter: 0 })
  await server.request('PATCH', `/v1/agents/${agent.id}`, { enable_sleeptime: true })
  expect((await send(agent.id, 'x')).usage.run_ids).toHaveLength(1)
})

test('each is started once, whoever dies between its start and the note of it', async () => {
  const agent = await newAgent(1)
  const [companion] = agent.managed_group.agent_ids
  const { usage } = await send(agent.id, 'x')
  await ended(usage.run_ids?.[0])
  // as if the process had died before it noted that the run has started
  const { db, runs } = server.context
  await db.execute('update companion_runs set started_at = null, claimed_until = null')
  await db.execute('update groups set last_processed_message_id = null')
  const logger = createLogger({ level: 'silent', format: 'json' })
  const starters = [1, 2, 3].map(() => new CompanionStarter({ db, logger, runs }))
  await Promise.all(starters.map((starter) => starter.startDue()))
  const left = statement('test-count-due', 'select count(*) as count from companion_runs where started_at is null')
  await expect.poll(() => db.query(left), { timeout: 10_000 }).toEqual([{ count: 0 }])
  expect((await runsOf(companion)).map(({ id }) => id)).toEqual(usage.run_ids)
  const messages = await server.request<Message[]>('GET', `/v1/agents/${companion}/messages`)
  expect(messages.body.filter(({ message_type }) => message_type === 'user_message')).toHaveLength(1)
})

test('goes with its agent, but not while it works for another', async () => {
  const [one, other] = [await newAgent(5), await newAgent(5)]
  const [shared = '', own = ''] = [one, other].map((agent) => agent.managed_group.agent_ids[0])
  const both = await server.request('PATCH', `/v1/groups/${other.managed_group.id}`, { agent_ids: [own, shared] })
  expect(both.status).toBe(200)
  const statusOf = async (id: string) => (await server.request('GET', `/v1/agents/${id}`)).status
  expect((await server.request('DELETE', `/v1/agents/${one.id}`)).status).toBe(200)
  expect(await Promise.all([shared, own].map(statusOf))).toEqual([200, 200])
  expect((await server.request('DELETE', `/v1/agents/${other.id}`)).status).toBe(200)
  expect(await Promise.all([shared, own].map(statusOf))).toEqual([404, 404])
})

test('what is due for an agent that is deleted goes with it', async () => {
  const agent = await newAgent(1)
  await send(agent.id, 'x')
  expect((await server.request('DELETE', `/v1/agents/${agent.id}`)).status).toBe(200)
  const left = statement('test-count-of-group', 'select count(*) as count from companion_runs where group_id = $1')
  expect(await server.context.db.query(left, [agent.managed_group.id])).toEqual([{ count: 0 }])
})
