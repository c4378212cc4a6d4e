import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createRunLoop } from '#agent/run-loop.ts'
import type { ModelEvent } from '#llm/model.ts'
import { DEFAULT_ORGANIZATION_ID } from '#platform/ids.ts'
import { createLogger } from '#platform/logger.ts'
import { RedisFanout } from '#runs/redis-fanout.ts'
import { RunEngine } from '#runs/run-engine.ts'
import type { RunEvent } from '#runs/run-events.ts'
import type { Db } from '#store/db.ts'
import { openDatabase } from '#store/open-database.ts'
import { ensurePartitions } from '#store/partitions.ts'
import { faultyDb } from '../support/faulty-db.ts'
import { type RedisProcess, startRedisProcess } from '../support/redis-process.ts'
import { freePort, startServerProcess } from '../support/server-process.ts'
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts'
import { createTestAgent, newRun, storedMessages } from '../support/test-agent.ts'
import { createPostgresDatabase, testEngine } from '../support/test-database.ts'
import { testModelRegistry } from '../support/test-models.ts'

const RUNS = 4
/** One run: its words come one by one, for some two seconds. */
const WORDS = 120
const WORD_PAUSE_MS = 20
const FAULT_AFTER_MS = 500
const FAULT_FOR_MS = 700
const LIMIT = { timeout: 20_000 }

const logger = createLogger({ level: 'silent', format: 'json' })
const text = Array.from({ length: WORDS }, (_, index) => `word${index} `).join('')

async function* speakSlowly(): AsyncGenerator<ModelEvent> {
  for (const word of text.match(/\S+ /g) ?? []) {
    yield { type: 'text-delta', text: word }
    await sleep(WORD_PAUSE_MS)
  }
  const usage = {
    inputTokens: 1,
    outputTokens: 1,
    cachedInputTokens: null,
    cacheWriteTokens: null,
    reasoningTokens: null,
  }
  yield {
    type: 'reply',
    reply: { content: [{ type: 'text', text }], toolCalls: [], finishReason: 'stop', usage },
    timing: { firstTokenMs: 1, totalMs: 2, attempts: 1 },
  }
}
const models = testModelRegistry(speakSlowly)

/** A replica: an engine with its own connections to the database, and to Redis through its own proxy. */
interface Replica {
  db: Db
  proxy: TcpProxy
  fanout: RedisFanout
  engine: RunEngine
}

// without a database that replicas share there is nothing to carry between them
describe.runIf(testEngine() === 'postgres')('Redis in trouble', () => {
  let resources: AsyncDisposableStack
  let redis: RedisProcess
  let other: RedisProcess
  let writer: Replica
  let reader: Replica
  /** While true the reader's database does not give events of runs: what it hears has come through Redis. */
  let isLogUnreadable = false

  beforeAll(async () => {
    resources = new AsyncDisposableStack()
    redis = resources.use(await startRedisProcess())
    other = resources.use(await startRedisProcess())
    const database = await createPostgresDatabase()
    resources.defer(async () => void (await database.remove()))
    writer = await openReplica('writer', database.url)
    await ensurePartitions(writer.db, new Date())
    reader = await openReplica('reader', database.url)
  })
  afterAll(() => resources.disposeAsync())

  async function openReplica(owner: string, databaseUrl: string): Promise<Replica> {
    const db = resources.use(await openDatabase({ kind: 'postgres', url: databaseUrl, poolSize: 8 }))
    const proxy = await startTcpProxy({ host: '127.0.0.1', port: redis.port })
    resources.defer(() => proxy.close())
    const fanout = resources.use(new RedisFanout({ url: `redis://127.0.0.1:${proxy.port}`, logger }))
    const seen = faultyDb(db, ({ name }) => ({
      kind: owner === 'reader' && isLogUnreadable && name === 'list-run-events' ? 'before' : 'none',
    }))
    const execute = createRunLoop({ db, models, logger, maxContextWindow: 128_000 })
    const engine = resources.use(new RunEngine({ db: seen, logger, owner, execute, fanout }))
    if (owner === 'writer') await engine.open()
    else engine.streams.open()
    return { db, proxy, fanout, engine }
  }

  const replicas = () => [writer, reader]
  const untilUp = () => expect.poll(() => replicas().map(({ fanout }) => fanout.isUp), LIMIT).toEqual([true, true])

  interface Heard {
    seqs: number[]
    events: RunEvent[]
    ended: Promise<void>
  }
  /** Runs on the one replica, with a reader on each. */
  async function startRuns(): Promise<{ agentId: string; runId: string; here: Heard; there: Heard }[]> {
    return Promise.all(
      Array.from({ length: RUNS }, async () => {
        const agentId = await createTestAgent(writer.db, models)
        const run = newRun(agentId, 'hello')
        const here = listen()
        await writer.engine.start(run, here.listener)
        const there = listen()
        reader.engine.follow({
          organizationId: DEFAULT_ORGANIZATION_ID,
          runId: run.runId,
          after: 0,
          listener: there.listener,
        })
        return { agentId, runId: run.runId, here, there }
      }),
    )
  }
  function listen(): Heard & { listener: (event: RunEvent, seq: number) => void } {
    const { promise: ended, resolve } = Promise.withResolvers<void>()
    const heard = { seqs: [] as number[], events: [] as RunEvent[], ended }
    const listener = (event: RunEvent, seq: number) => {
      if (event.type === 'run-start') return
      heard.seqs.push(seq)
      heard.events.push(event)
      if (event.type === 'run-end') resolve()
    }
    return { ...heard, listener }
  }
  const textOf = ({ events }: Heard) => events.map((event) => (event.type === 'text-delta' ? event.text : '')).join('')
  const keysIn = async (server: RedisProcess) => Number(await server.command('DBSIZE'))

  async function expectSameEverywhere(runs: Awaited<ReturnType<typeof startRuns>>): Promise<void> {
    for (const { agentId, here, there } of runs) {
      await Promise.all([here.ended, there.ended])
      expect(there.seqs).toEqual(here.seqs)
      expect(textOf(there)).toBe(text)
      expect(there.events.filter(({ type }) => type === 'message')).toHaveLength(1)
      expect(there.events.filter(({ type }) => type === 'run-end')).toHaveLength(1)
      const stored = await storedMessages(writer.db, agentId)
      expect(stored.at(-1)?.content).toEqual([{ type: 'text', text }])
    }
  }

  it('what a reader on another replica hears comes through Redis while there is one', LIMIT, async () => {
    await untilUp()
    const runs = await startRuns()
    await expect.poll(() => runs.every(({ there }) => there.events.length > 10), LIMIT).toBe(true)
    isLogUnreadable = true
    const before = runs.map(({ there }) => there.events.length)
    await sleep(FAULT_FOR_MS)
    const more = runs.map(({ there }, index) => there.events.length - (before[index] ?? 0))
    for (const count of more) expect(count, 'events without the log in the database').toBeGreaterThan(10)
    isLogUnreadable = false
    await expectSameEverywhere(runs)
  })

  it('a server starts without Redis, finds it later, and says how it is', { timeout: 60_000 }, async () => {
    await using own = new AsyncDisposableStack()
    const database = await createPostgresDatabase()
    own.defer(async () => void (await database.remove()))
    const server = own.use(await startRedisProcess())
    await server.kill()
    const perdure = await startServerProcess(await freePort(), {
      PERDURE_DATABASE_URL: database.url,
      PERDURE_SHUTDOWN_DELAY: '0s',
      LETTA_REDIS_HOST: '127.0.0.1',
      LETTA_REDIS_PORT: String(server.port),
    })
    own.defer(async () => void (await perdure.stop()))
    const readiness = async () => {
      const response = await fetch(`${perdure.url}/ready`)
      return [response.status, ((await response.json()) as { redis?: string }).redis]
    }
    await expect.poll(readiness, LIMIT).toEqual([200, 'away'])
    await server.start()
    await expect.poll(readiness, LIMIT).toEqual([200, 'ok'])
    await server.kill()
    await expect.poll(readiness, LIMIT).toEqual([200, 'away'])
  })

  const faults: Record<string, { begin: () => Promise<unknown> | unknown; end: () => Promise<unknown> | unknown }> = {
    'killed and started again, empty': { begin: () => redis.kill(), end: () => redis.start() },
    flushed: {
      begin: async () => {
        expect(await keysIn(redis), 'streams were there').toBeGreaterThan(0)
        await redis.command('FLUSHALL')
      },
      end: () => redis.command('FLUSHALL'),
    },
    frozen: {
      begin: async () => {
        redis.freeze()
        await expect.poll(() => replicas().map(({ fanout }) => fanout.isUp), LIMIT).toContain(false)
      },
      end: () => redis.thaw(),
    },
    slow: {
      begin: () => {
        for (const { proxy } of replicas()) proxy.slow(150)
        return cutAll()
      },
      end: () => {
        for (const { proxy } of replicas()) proxy.slow(0)
        return cutAll()
      },
    },
    full: {
      begin: async () => {
        await redis.command('CONFIG', 'SET', 'maxmemory', '1')
        await expect.poll(() => writer.fanout.isUp, LIMIT).toBe(false)
      },
      end: () => redis.command('CONFIG', 'SET', 'maxmemory', '0'),
    },
    'cut off from the writer': { begin: () => cutOff(writer), end: () => writer.proxy.restore() },
    'cut off from the reader': { begin: () => cutOff(reader), end: () => reader.proxy.restore() },
    'silent for the reader': {
      begin: () => expect(reader.proxy.silence(), 'connections in silence').toBeGreaterThan(0),
      end: () => cutAll(),
    },
    'failed over to one that knows nothing, the writer first': {
      begin: async () => {
        await lead(writer, other)
        await sleep(FAULT_FOR_MS / 2)
        await lead(reader, other)
      },
      end: async () => {
        expect(await keysIn(other), 'the other one was used').toBeGreaterThan(0)
        for (const replica of replicas()) await lead(replica, redis)
      },
    },
  }

  function cutOff({ proxy }: Replica): void {
    expect(proxy.cut(), 'connections were cut').toBeGreaterThan(0)
  }
  async function lead(replica: Replica, server: RedisProcess): Promise<void> {
    replica.proxy.redirect({ host: '127.0.0.1', port: server.port })
    cutOff(replica)
    replica.proxy.restore()
    await expect.poll(() => replica.fanout.isUp, LIMIT).toBe(true)
  }
  function cutAll(): void {
    for (const replica of replicas()) {
      cutOff(replica)
      replica.proxy.restore()
    }
  }

  it.each(Object.entries(faults))(
    '%s: no event is lost or comes twice, and it heals',
    { timeout: 60_000 },
    async (_name, fault) => {
      const runs = await startRuns()
      await sleep(FAULT_AFTER_MS)
      await fault.begin()
      try {
        expect(
          runs.some(({ here }) => here.events.at(-1)?.type === 'run-end'),
          'the fault came in the middle',
        ).toBe(false)
        await sleep(FAULT_FOR_MS)
      } finally {
        await fault.end()
      }
      await expectSameEverywhere(runs)
      await untilUp()
    },
  )
})
