import { setTimeout as sleep } from 'node:timers/promises'
import { Letta } from '@letta-ai/letta-client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startHaproxy } from '../support/haproxy.ts'
import type { LoadBalancer } from '../support/load-balancer.ts'
import { startNginx } from '../support/nginx.ts'
import { type ProviderProcess, startProviderProcess } from '../support/provider-process.ts'
import { type Replica, startReplicas } from '../support/replicas.ts'
import { createPostgresDatabase, testEngine } from '../support/test-database.ts'

const READERS = 3
const WRITERS = 3

/**
 * Replicas are stopped and killed behind a real load balancer while clients go on. The delay of the shutdown is the default,
 * which the shipped configurations are made for. On the embedded database there are no replicas: nothing to test.
 */
describe.skipIf(testEngine() === 'pglite').each([
  ['nginx', startNginx, 3],
  ['HAProxy', startHaproxy, 1],
] as const)('behind %s', (_name, startBalancer, rounds) => {
  let database: Awaited<ReturnType<typeof createPostgresDatabase>>
  let provider: ProviderProcess
  let replicas: Replica[]
  let balancer: LoadBalancer
  let client: Letta

  beforeAll(async () => {
    database = await createPostgresDatabase()
    provider = await startProviderProcess('memory-tool', 300)
    replicas = await startReplicas(3, {
      OPENAI_API_KEY: 'sk-test',
      OPENAI_BASE_URL: provider.url,
      PERDURE_DATABASE_URL: database.url,
    })
    balancer = await startBalancer(replicas)
    client = new Letta({ baseURL: balancer.url, apiKey: 'none', maxRetries: 0 })
  })
  afterAll(async () => {
    await balancer.stop()
    await Promise.all(replicas.map((replica) => replica.stop()))
    await provider.stop()
    await database.remove()
  })

  it('replicas are restarted in turn, and no request fails, without any retry of the client', async () => {
    const agents = await Promise.all(Array.from({ length: WRITERS }, newAgent))
    await using readers = startTraffic(READERS, read)
    await using writers = startTraffic(WRITERS, (writer, nth) => write(agents[writer] ?? '', `w${writer}-${nth}`))
    await readers.progress(20)
    for (const replica of replicas.slice(0, rounds)) {
      const { pid } = replica
      const begun = performance.now()
      const stopping = replica.stop()
      await expect.poll(async () => (await fetch(`${replica.url}/ready`)).status).toBe(503)
      expect(await (await fetch(`${replica.url}/v1/ready/`)).json()).toMatchObject({ reason: 'stopping' })
      expect(performance.now() - begun, 'not ready at once, and still listening').toBeLessThan(2500)
      expect(await stopping).toBe(0)
      // two of three for a moment, as in a deployment
      await readers.progress(20)
      await writers.progress(3)
      await replica.start()
      expect(replica.pid).not.toBe(pid)
      await readers.progress(20)
    }
    await readers.stop()
    await writers.stop()
    expect(readers.failures).toEqual([])
    expect(writers.failures).toEqual([])
    for (const { log } of replicas) {
      const served = log().filter((line) => line.operation === 'send_message')
      expect(served.length, 'turns that each replica served').toBeGreaterThan(0)
    }
    for (const [writer, agentId] of agents.entries()) await expectEachTurnOnce(agentId, writer, writers.counts[writer])
  }, 180_000)

  it('replicas are killed with -9 in turn: no read fails, and no turn that was accepted is lost', async () => {
    const agents = await Promise.all(Array.from({ length: 8 }, newAgent))
    await using readers = startTraffic(READERS, read)
    const accepted: { run: string; text: string }[] = []
    await using writers = startTraffic(1, async (_writer, nth) => {
      const text = `k${nth}`
      const run = await client.agents.messages
        .createAsync(agents[nth % agents.length] ?? '', { messages: [{ role: 'user', content: text }] })
        // the replica that took it may be the one that dies: who has no answer has no promise
        .catch(() => undefined)
      if (run !== undefined) accepted.push({ run: run.id, text })
      await sleep(100)
    })
    for (const replica of replicas.slice(0, rounds)) {
      await readers.progress(20)
      await writers.progress(5)
      await replica.kill()
      await readers.progress(30)
      await replica.start()
    }
    await writers.stop()
    await readers.stop()
    expect(readers.failures).toEqual([])
    expect(accepted.length).toBeGreaterThan(10)
    for (const { run, text } of accepted) {
      const status = async () => `${text} ${(await client.runs.retrieve(run)).status}`
      await expect.poll(status, { timeout: 60_000, interval: 200 }).toBe(`${text} completed`)
    }
  }, 180_000)

  async function newAgent(): Promise<string> {
    const { id } = await client.agents.create({
      model: 'openai/gpt-4o-mini',
      memory_blocks: [{ label: 'human', value: '', limit: 100_000 }],
      tools: ['memory_insert'],
      include_base_tools: false,
    })
    return id
  }

  async function read(): Promise<void> {
    const response = await fetch(`${balancer.url}/v1/agents/`)
    const text = await response.text()
    if (response.status !== 200) throw new Error(`GET /v1/agents/ ${response.status} ${text}`)
    await sleep(10)
  }

  async function write(agentId: string, text: string): Promise<void> {
    const answer = await client.agents.messages.create(agentId, { messages: [{ role: 'user', content: text }] })
    const last = JSON.stringify(answer.messages.at(-1))
    if (!last.includes(`answer:${text}`)) throw new Error(`${text} got ${last} (${answer.stop_reason.stop_reason})`)
  }

  async function expectEachTurnOnce(agentId: string, writer: number, count = 0): Promise<void> {
    const { value } = await client.agents.blocks.retrieve('human', { agent_id: agentId })
    const facts = value.split('\n').filter((line) => line !== '')
    expect(facts).toEqual(Array.from({ length: count }, (_, nth) => `fact:w${writer}-${nth}`))
  }
})

interface Traffic extends AsyncDisposable {
  /** What each client has done so far. */
  counts: number[]
  failures: string[]
  /** Resolves when so many more have been done, by all clients together. */
  progress(count: number): Promise<void>
  stop(): Promise<void>
}

/** Clients that do one thing after the other until they are stopped. */
function startTraffic(clients: number, work: (client: number, nth: number) => Promise<void>): Traffic {
  const counts = Array<number>(clients).fill(0)
  const failures: string[] = []
  let isOver = false
  const loop = async (index: number): Promise<void> => {
    for (let nth = 0; !isOver; nth += 1) {
      await work(index, nth).catch((error: unknown) =>
        failures.push(`${new Date().toISOString()} ${describeError(error)}`),
      )
      counts[index] = nth + 1
    }
  }
  const loops = counts.map((_, index) => loop(index))
  const total = () => counts.reduce((sum, count) => sum + count, 0)
  const stop = async () => {
    isOver = true
    await Promise.all(loops)
  }
  return {
    counts,
    failures,
    async progress(count) {
      const wanted = total() + count
      await expect.poll(total, { timeout: 30_000 }).toBeGreaterThanOrEqual(wanted)
    },
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

function describeError(error: unknown): string {
  const { message, cause } = error as Error
  return cause instanceof Error ? `${message}: ${cause.message}` : message
}
