import { Letta } from '@letta-ai/letta-client'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type FakeProvider, startFakeProvider } from '../support/fake-provider.ts'
import { type Replica, startReplicas } from '../support/replicas.ts'
import { createPostgresDatabase, testEngine } from '../support/test-database.ts'

const STEP_MS = 2500
const GRACE_MS = 15_000

/** SIGTERM on one of two servers. With the embedded database nobody can take over: see stop.test.ts. */
describe.skipIf(testEngine() === 'pglite')('SIGTERM in the middle of a turn, with another replica there', () => {
  let database: Awaited<ReturnType<typeof createPostgresDatabase>>
  let provider: FakeProvider
  let replicas: Replica[]

  beforeEach(async () => {
    database = await createPostgresDatabase()
    provider = await startFakeProvider(({ isAfterTools, lastUserText }) =>
      isAfterTools
        ? { text: `answer:${lastUserText}`, delayMs: STEP_MS }
        : { toolCalls: [insert(`fact:${lastUserText}`)], delayMs: STEP_MS },
    )
    replicas = await startReplicas(2, {
      OPENAI_API_KEY: 'sk-test',
      OPENAI_BASE_URL: `${provider.url}/v1`,
      PERDURE_DATABASE_URL: database.url,
      PERDURE_SHUTDOWN_DELAY: '500ms',
      PERDURE_SHUTDOWN_GRACE: `${GRACE_MS}ms`,
    })
  })
  afterEach(async () => {
    await Promise.all(replicas.map((replica) => replica.stop()))
    await provider.close()
    await database.remove()
  })

  it('the step under way is finished, the other replica does the rest, and who waits gets the answer', async () => {
    const [leaving, staying] = replicas as [Replica, Replica]
    const client = new Letta({ baseURL: leaving.url, apiKey: 'none', maxRetries: 0 })
    const agent = await client.agents.create({
      model: 'openai/gpt-4o-mini',
      memory_blocks: [{ label: 'human', value: '' }],
      tools: ['memory_insert'],
      include_base_tools: false,
    })
    const answering = client.agents.messages.create(agent.id, { messages: [{ role: 'user', content: 'hello' }] })
    await expect.poll(() => provider.requests.length).toBe(1)
    const asked = performance.now()
    const exiting = leaving.stop()
    const answer = await answering
    expect(answer.stop_reason.stop_reason).toBe('end_turn')
    expect(JSON.stringify(answer.messages.at(-1))).toContain('answer:hello')
    expect(await exiting).toBe(0)
    expect(performance.now() - asked).toBeLessThan(GRACE_MS)

    expect(staying.log().map((line) => line.message)).toContain('run taken over')
    expect(provider.requests.length, 'no step was lost, none was paid for twice').toBe(2)
    const other = new Letta({ baseURL: staying.url, apiKey: 'none', maxRetries: 0 })
    const { value } = await other.agents.blocks.retrieve('human', { agent_id: agent.id })
    expect(value).toBe('fact:hello')
  }, 60_000)

  it('a message that comes while the server stops is accepted, and answered by the other replica', async () => {
    const [leaving, staying] = replicas as [Replica, Replica]
    const other = new Letta({ baseURL: staying.url, apiKey: 'none', maxRetries: 0 })
    const agents = await Promise.all(
      [1, 2].map(() => other.agents.create({ model: 'openai/gpt-4o-mini', include_base_tools: false })),
    )
    const [busy, late] = agents.map(({ id }) => id)
    const send = (agentId = '', text = '') =>
      fetch(`${leaving.url}/v1/agents/${agentId}/messages/async`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ messages: [{ role: 'user', content: text }] }),
      })
    await send(busy, 'one')
    const exiting = leaving.stop()
    await expect.poll(async () => (await fetch(`${leaving.url}/ready`)).status).toBe(503)
    const response = await send(late, 'two')
    expect(response.status).toBe(200)
    expect(response.headers.get('connection')).toBe('close')
    const { id } = (await response.json()) as { id: string }
    expect(await exiting).toBe(0)
    await expect.poll(async () => (await other.runs.retrieve(id)).status, { timeout: 20_000 }).toBe('completed')
  }, 60_000)
})

const insert = (text: string) => ({ name: 'memory_insert', arguments: { label: 'human', new_string: text } })
