import { setTimeout as sleep } from 'node:timers/promises'
import { APIError, Letta } from '@letta-ai/letta-client'
import { expect, it } from 'vitest'
import { isTransient } from '#store/database-error.ts'
import { statement } from '#store/db.ts'
import { openDatabase } from '#store/open-database.ts'
import { findBrokenInvariants } from '../support/database-state.ts'
import { type PostgresServer, startPostgresCluster } from '../support/postgres-cluster.ts'
import { startProviderProcess } from '../support/provider-process.ts'
import { freePort, startServerProcess } from '../support/server-process.ts'
import { startTcpProxy } from '../support/tcp-proxy.ts'
import { testEngine } from '../support/test-database.ts'

const AGENTS = 6
/** Longest pause of the provider before each of its two replies of a turn, */
const PROVIDER_DELAY_MS = 1200
/** and between two messages to an agent: most agents are in the middle of a turn at any moment. */
const PAUSE_MS = 1000
/** How long the address leads to the standby while it still is one. */
const STALE_MS = 2500
/** Far above what is needed, for slow machines. */
const LIMIT = { timeout: 20_000 }

it.runIf(testEngine() === 'postgres')(
  'PostgreSQL fails over: what was accepted is answered once, and a standby before its promotion is asked for nothing',
  async () => {
    await using resources = new AsyncDisposableStack()
    const cluster = resources.use(await startPostgresCluster())
    const provider = await startProviderProcess('parallel-tools', PROVIDER_DELAY_MS)
    resources.defer(() => provider.stop())
    const primaryAddress = { host: '127.0.0.1', port: cluster.primary.port }
    const standbyAddress = { host: '127.0.0.1', port: cluster.standby.port }
    const proxy = await startTcpProxy(primaryAddress)
    resources.defer(() => proxy.close())
    const databaseUrl = new URL(cluster.primary.url)
    databaseUrl.port = String(proxy.port)
    const server = await startServerProcess(await freePort(), {
      OPENAI_API_KEY: 'sk-test',
      OPENAI_BASE_URL: provider.url,
      PERDURE_DATABASE_URL: databaseUrl.href,
    })
    resources.defer(async () => void (await server.stop()))
    const client = new Letta({ baseURL: server.url, apiKey: 'none', maxRetries: 0 })
    const agents = await Promise.all(Array.from({ length: AGENTS }, () => createAgent(client)))
    const traffic = startTraffic(client, agents)
    resources.defer(() => traffic.stop())
    const statusOf = async (path: string) => (await fetch(`${server.url}${path}`)).status
    const untilAccepted = (more: number) => {
      const goal = traffic.accepted.length + more
      return expect.poll(() => traffic.accepted.length, LIMIT).toBeGreaterThanOrEqual(goal)
    }
    await untilAccepted(AGENTS)

    // 1. The address leads to the standby before its promotion. It is kept from seeing what is new, so that it is stale for
    // certain, and its log tells what it was asked for.
    await cluster.standby.query('select pg_wal_replay_pause()')
    const lateAgent = await createAgent(client)
    const logBefore = await cluster.standby.log()
    proxy.redirect(standbyAddress)
    expect(proxy.cut(), 'connections were cut').toBeGreaterThan(0)
    proxy.restore()
    expect(await statusOf('/ready')).toBe(503)
    const acceptedBefore = traffic.accepted.length
    const seen = new Set<number>()
    for (const until = performance.now() + STALE_MS; performance.now() < until; await sleep(50)) {
      seen.add(await statusOf(`/v1/agents/${lateAgent}`))
      seen.add(await statusOf('/ready'))
    }
    expect([...seen]).toEqual([503])
    expect(traffic.accepted).toHaveLength(acceptedBefore)
    const askedOfStandby = statementsIn((await cluster.standby.log()).slice(logBefore.length))
    expect(askedOfStandby.length, 'connections reached the standby').toBeGreaterThan(0)
    expect(askedOfStandby.filter((sql) => !sql.startsWith('select pg_is_in_recovery()'))).toEqual([])
    proxy.redirect(primaryAddress)
    proxy.cut()
    proxy.restore()
    await expect.poll(() => statusOf('/ready'), LIMIT).toBe(200)
    expect(await statusOf(`/v1/agents/${lateAgent}`)).toBe(200)
    await untilAccepted(2 * AGENTS)

    await expect.poll(() => countOpenRuns(cluster.primary), LIMIT).toBeGreaterThanOrEqual(AGENTS / 2)

    // 2. The primary's host vanishes in the middle of runs: no connection is told. The standby takes its place.
    proxy.redirect(standbyAddress)
    expect(proxy.silence(), 'connections were left in silence').toBeGreaterThan(0)
    await cluster.primary.kill()
    await cluster.promote()
    expect(await countOpenRuns(cluster.standby), 'runs that were in the middle of it').toBeGreaterThan(0)
    const failedOverAt = performance.now()
    await expect.poll(() => statusOf('/ready'), LIMIT).toBe(200)
    const healedAfterMs = Math.round(performance.now() - failedOverAt)
    await untilAccepted(2 * AGENTS)
    await traffic.stop()

    expect(traffic.refused.filter((status) => status !== 503)).toEqual([])
    expect(traffic.refused.length, 'messages met the fail-over').toBeGreaterThan(0)
    const isEnded = async ({ runId }: Accepted) => (await client.runs.retrieve(runId)).status === 'completed'
    await expect
      .poll(async () => (await Promise.all(traffic.accepted.map(isEnded))).filter((ended) => !ended), {
        timeout: 30_000,
      })
      .toEqual([])
    for (const agentId of agents) {
      const stored = await allMessages(client, agentId)
      const { value } = await client.agents.blocks.retrieve('human', { agent_id: agentId })
      const count = (type: string, content: string) =>
        stored.filter((message) => message.message_type === type && message.content === content).length
      for (const { text } of traffic.accepted.filter((sent) => sent.agentId === agentId)) {
        expect(count('user_message', text), `"${text}" was accepted and must stand once`).toBe(1)
        expect(count('assistant_message', `answer:${text}`), `"${text}" must be answered once`).toBe(1)
        for (const fact of [`fact-a:${text}`, `fact-b:${text}`]) {
          expect(
            value.split('\n').filter((line) => line === fact),
            `${fact} must be remembered once`,
          ).toHaveLength(1)
        }
      }
    }
    expect((await provider.violations()).violations).toEqual([])
    // a refused message may have been stored before its answer got lost, and may still be worked on
    const db = resources.use(await openDatabase({ kind: 'postgres', url: cluster.standby.url, poolSize: 1 }))
    await expect.poll(() => findBrokenInvariants(db), { ...LIMIT, interval: 500 }).toEqual([])
    console.log(
      `fail-over: ${traffic.accepted.length} messages accepted, ${traffic.refused.length} refused, ready again after ${healedAfterMs} ms`,
    )
  },
  120_000,
)

it.runIf(testEngine() === 'postgres')(
  'a former primary that nobody stopped is not asked any more once a connection has met the new one',
  async () => {
    await using resources = new AsyncDisposableStack()
    const cluster = resources.use(await startPostgresCluster())
    const proxy = await startTcpProxy({ host: '127.0.0.1', port: cluster.primary.port })
    resources.defer(() => proxy.close())
    const url = new URL(cluster.primary.url)
    url.port = String(proxy.port)
    const db = resources.use(await openDatabase({ kind: 'postgres', url: url.href, poolSize: 3 }))
    const heard: string[] = []
    await db.listen('news', (payload) => heard.push(payload))
    const one = statement('test-one', 'select 1 as one')
    await Promise.all([db.query(one), db.query(one)])
    await cluster.promote()
    proxy.redirect({ host: '127.0.0.1', port: cluster.standby.port })
    // the pool's two connections still lead to the former primary, and it answers; the third one meets the new primary
    const hang = statement('test-hang', 'select pg_sleep(30)')
    const hanging = [1, 2].map(() => db.query(hang).catch((error: unknown) => error))
    await db.query(one)
    const logBefore = await cluster.primary.log()
    expect(
      statementsIn(logBefore).filter((sql) => sql.startsWith('select pg_sleep')),
      'former one asked',
    ).toHaveLength(2)
    for (const error of await Promise.all(hanging)) expect(isTransient(error)).toBe(true)
    await Promise.all([1, 2, 3].map(() => db.query(one)))
    expect(statementsIn((await cluster.primary.log()).slice(logBefore.length))).toEqual([])
    const notify = () => cluster.standby.query("select pg_notify('news', 'from the new primary')", 'perdure_test')
    await expect.poll(async () => (await notify()) && heard.length, LIMIT).toBeGreaterThan(0)
  },
  60_000,
)

async function createAgent(client: Letta): Promise<string> {
  const agent = await client.agents.create({
    model: 'openai/gpt-4o-mini',
    memory_blocks: [{ label: 'human', value: '', limit: 100_000 }],
    tools: ['memory_insert', 'conversation_search'],
    include_base_tools: false,
  })
  return agent.id
}

async function countOpenRuns(server: PostgresServer): Promise<number | undefined> {
  const sql = "select count(*)::integer as open from runs as r where r.status = 'running'"
  const [row] = await server.query<{ open: number }>(sql, 'perdure_test')
  return row?.open
}

interface Accepted {
  agentId: string
  text: string
  runId: string
}

/** Sends messages to every agent until it is told to stop, and keeps which were accepted. */
function startTraffic(client: Letta, agents: readonly string[]) {
  const accepted: Accepted[] = []
  const refused: unknown[] = []
  let isStopped = false
  const senders = agents.map(async (agentId) => {
    for (let index = 0; !isStopped; index += 1) {
      const text = `m${index}`
      try {
        const run = await client.agents.messages.createAsync(agentId, { messages: [{ role: 'user', content: text }] })
        accepted.push({ agentId, text, runId: run.id })
      } catch (error) {
        refused.push(error instanceof APIError ? error.status : error)
      }
      await sleep(PAUSE_MS)
    }
  })
  return {
    accepted,
    refused,
    async stop() {
      isStopped = true
      await Promise.all(senders)
    },
  }
}

/** What a PostgreSQL log says was asked for. */
function statementsIn(log: string): string[] {
  return [...log.matchAll(/LOG: {2}(?:statement|execute [^:]+): (.*)/g)].map((match) => match[1] ?? '')
}

interface Message {
  message_type?: string
  content?: unknown
}

async function allMessages(client: Letta, agentId: string): Promise<Message[]> {
  const all: Message[] = []
  let after: string | undefined
  for (;;) {
    const page = await client.agents.messages.list(agentId, { order: 'asc', limit: 500, ...(after ? { after } : {}) })
    if (page.items.length === 0) return all
    all.push(...(page.items as Message[]))
    after = page.items.at(-1)?.id
  }
}
