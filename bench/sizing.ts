import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import type { ModelEvent, ModelRequest } from '#llm/model.ts'
import type { RunEngine } from '#runs/run-engine.ts'
import { type Db, statement } from '#store/db.ts'
import { openDatabase } from '#store/open-database.ts'
import { startScriptedProvider } from '../test/support/scripted-provider.ts'
import { freePort, startServerProcess } from '../test/support/server-process.ts'
import { createTestAgent, createTestEngine, newRun } from '../test/support/test-agent.ts'
import { createPostgresDatabase, openTestDatabase } from '../test/support/test-database.ts'
import { testModelRegistry } from '../test/support/test-models.ts'

/**
 * What a message costs, for the arithmetic of docs/scaling.md: `node bench/sizing.ts [--turns 1200] [--parallel 64] [--only turns|streams]`.
 * Rows and bytes by table, WAL, statements, and processor time of this process and of PostgreSQL, per turn, without HTTP; then a
 * server with open streams. Needs TEST_DATABASE_URL; the WAL and the processor time are the whole server's: give it one on this machine
 * that nobody else uses.
 */
const { values } = parseArgs({
  options: {
    turns: { type: 'string', default: '1200' },
    parallel: { type: 'string', default: '64' },
    only: { type: 'string' },
  },
})
const TURNS = Number(values.turns)
const PARALLEL = Number(values.parallel)

/** 200 characters of a user, 800 of an answer: about 50 and 200 tokens. */
const QUESTION = 'I would like to know what we said about the garden last week, and what is left to do. '
  .repeat(3)
  .slice(0, 200)
const ANSWER = 'We spoke of the beans, which need water in the evening, and of the fence behind the shed. '
  .repeat(10)
  .slice(0, 800)
const USAGE = {
  inputTokens: 2000,
  outputTokens: 200,
  cachedInputTokens: null,
  cacheWriteTokens: null,
  reasoningTokens: null,
}

interface Profile {
  name: string
  hasTool: boolean
  /** Pieces of the answer and the pause between them; 0: the answer comes as a whole. */
  pieces: number
  pauseMs: number
}
const PROFILES: readonly Profile[] = [
  { name: 'answer at once, one step', hasTool: false, pieces: 0, pauseMs: 0 },
  { name: 'answer at once, two steps, one memory edit', hasTool: true, pieces: 0, pauseMs: 0 },
  { name: 'answer streamed in 160 pieces over 4 s, one step', hasTool: false, pieces: 160, pauseMs: 25 },
]

function modelOf({ hasTool, pieces, pauseMs }: Profile) {
  return testModelRegistry(async function* (request: ModelRequest): AsyncGenerator<ModelEvent> {
    const callsTool = hasTool && request.messages.at(-1)?.role !== 'tool'
    const size = pieces === 0 ? ANSWER.length : ANSWER.length / pieces
    for (let piece = 0; !callsTool && piece < pieces; piece += 1) {
      if (piece % 4 === 0) await sleep(pauseMs * 4)
      yield { type: 'text-delta', text: ANSWER.slice(piece * size, (piece + 1) * size) }
    }
    const edit = '{"label":"human","new_string":"Has a garden with beans."}'
    yield {
      type: 'reply',
      reply: {
        content: callsTool ? [] : [{ type: 'text', text: ANSWER }],
        toolCalls: callsTool ? [{ tool_call_id: 'call', name: 'memory_insert', arguments: edit }] : [],
        finishReason: callsTool ? 'tool-calls' : 'stop',
        usage: USAGE,
      },
      timing: { firstTokenMs: 300, totalMs: 4000, attempts: 1 },
    }
  })
}

/** Sends a message as a client does that wants the answer piece by piece, and waits for the end. */
async function turn(engine: RunEngine, agentId: string): Promise<void> {
  const ended = Promise.withResolvers<void>()
  await engine.start(newRun(agentId, QUESTION, { hasTokens: true }), (event) => {
    if (event.type !== 'run-end') return
    if (event.stopReason === 'end_turn') ended.resolve()
    else ended.reject(new Error(`the run ended with ${event.stopReason}`))
  })
  await ended.promise
}

// a partition counts for its parent
const tableSizes = statement(
  'bench-table-sizes',
  `select regexp_replace(c.relname, '_(\\d{4}_\\d{2}|default)$', '') as name, sum(pg_total_relation_size(c.oid))::float8 as bytes,
     sum(pg_relation_size(c.oid))::float8 as heap
   from pg_class as c where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace group by 1 order by 1`,
)
const walPosition = statement(
  'bench-wal-position',
  `select pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::float8 as bytes`,
)
const backendPids = statement('bench-backend-pids', 'select pid from pg_stat_activity where pid is not null')
const countHot = statement(
  'bench-count-hot',
  `select s.relname as name, s.n_tup_upd::integer as updates, s.n_tup_hot_upd::integer as hot from pg_stat_user_tables as s
   where s.relname in ('runs', 'conversations', 'agents', 'blocks') and s.n_tup_upd > 0 order by 1`,
)
const countConnections = statement(
  'bench-count-connections',
  `select count(*)::integer as count from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`,
)
const countCommits = statement(
  'bench-count-commits',
  'select xact_commit::integer as count from pg_stat_database where datname = current_database()',
)
const countRows = statement(
  'bench-count-run-events',
  'select count(*)::integer as count, sum(length(e.events))::float8 as bytes from run_events as e',
)

/** Milliseconds of processor time of PostgreSQL's processes; NaN where it is on another machine. */
async function databaseCpuMs(db: Db): Promise<number> {
  let ticks = 0
  for (const { pid } of await db.query<{ pid: number }>(backendPids)) {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    ticks += Number(fields[11]) + Number(fields[12])
  }
  return ticks * 10
}

async function measure(profile: Profile): Promise<void> {
  const names = new Map<string, number>()
  await using db = await openTestDatabase({
    poolSize: 20,
    onStatement: (name) => names.set(name, (names.get(name) ?? 0) + 1),
  })
  const models = modelOf(profile)
  const engine = createTestEngine(db, models)
  await engine.open()
  const agentIds: string[] = []
  // six turns an agent at most, so that no context is long
  while (agentIds.length < Math.max(PARALLEL, TURNS / 6)) agentIds.push(await createTestAgent(db, models))
  let next = 0
  const run = (count: number) => {
    let left = count
    return Promise.all(
      Array.from({ length: PARALLEL }, async (_, worker) => {
        const own = agentIds.filter((_id, index) => index % PARALLEL === worker)
        while (left-- > 0) await turn(engine, own[next++ % own.length] ?? '')
      }),
    )
  }
  await run(PARALLEL * 2)
  await db.execute('checkpoint')
  const read = async () => ({
    sizes: new Map((await db.query<{ name: string; bytes: number }>(tableSizes)).map((row) => [row.name, row.bytes])),
    wal: (await db.query<{ bytes: number }>(walPosition))[0]?.bytes ?? 0,
    events: (await db.query<{ count: number; bytes: number }>(countRows))[0],
    database: await databaseCpuMs(db),
    own: process.cpuUsage(),
    at: performance.now(),
  })
  const before = await read()
  names.clear()
  await run(TURNS)
  const statements = new Map(names)
  const after = await read()
  const perTurn = (value: number) => value / TURNS
  console.log(
    `\n${profile.name}: ${TURNS} turns, ${PARALLEL} at a time, ${((after.at - before.at) / 1000).toFixed(1)} s`,
  )
  const line = (what: string, value: string) => console.log(`  ${what.padEnd(34)} ${value}`)
  const own = after.own.user + after.own.system - before.own.user - before.own.system
  line('turns/s', (TURNS / ((after.at - before.at) / 1000)).toFixed(0))
  line('CPU of this process, ms/turn', perTurn(own / 1000).toFixed(2))
  line('CPU of PostgreSQL, ms/turn', perTurn(after.database - before.database).toFixed(2))
  line('WAL, bytes/turn', perTurn(after.wal - before.wal).toFixed(0))
  const rows = (after.events?.count ?? 0) - (before.events?.count ?? 0)
  const bytes = (after.events?.bytes ?? 0) - (before.events?.bytes ?? 0)
  line(
    'run_events, rows and bytes/turn',
    `${perTurn(rows).toFixed(1)} rows, ${perTurn(bytes).toFixed(0)} bytes of events`,
  )
  let total = 0
  for (const [name, size] of after.sizes) {
    const grown = perTurn(size - (before.sizes.get(name) ?? 0))
    total += grown
    if (grown >= 20) line(`  ${name}, bytes/turn on disk`, grown.toFixed(0))
  }
  line('all tables with indexes, bytes/turn', total.toFixed(0))
  const all = [...statements].filter(([name]) => !name.startsWith('bench-')).sort((a, b) => b[1] - a[1])
  line('statements/turn', perTurn(all.reduce((sum, [, count]) => sum + count, 0)).toFixed(2))
  line(
    '  of them',
    all
      .slice(0, 8)
      .map(([name, count]) => `${name} ${perTurn(count).toFixed(2)}`)
      .join(', '),
  )
  await engine[Symbol.asyncDispose]()
  await sleep(1500)
  const updates = await db.query<{ name: string; updates: number; hot: number }>(countHot)
  const shares = updates.map((row) => `${row.name} ${((100 * row.hot) / row.updates).toFixed(0)} % of ${row.updates}`)
  line('updates that stayed on their page', shares.join(', '))
}

const STREAMS = 300
const EVENTS_PER_SECOND = 10
const STREAM_SECONDS = 25

async function processFigures(pid: number): Promise<{ cpuMs: number; rssMegabytes: number }> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  const rss = Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024
  return { cpuMs: (Number(fields[11]) + Number(fields[12])) * 10, rssMegabytes: rss }
}

/** A real server with open streams: memory, processor time and connections. The provider and the clients are this process. */
async function measureStreams(): Promise<void> {
  const piece = (content: string) =>
    `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'gpt-4o-mini', choices: [{ index: 0, delta: { content }, finish_reason: null }] })}\n\n`
  await using provider = await startScriptedProvider(() => ({
    sse: [...Array.from({ length: STREAM_SECONDS * EVENTS_PER_SECOND }, () => piece('beans ')), 'data: [DONE]\n\n'],
    pauseMs: 1000 / EVENTS_PER_SECOND,
  }))
  const { url: database, remove } = await createPostgresDatabase()
  const server = await startServerProcess(await freePort(), {
    LOG_LEVEL: 'warn',
    OPENAI_API_KEY: 'sk-bench',
    OPENAI_BASE_URL: `${provider.url}/v1`,
    PERDURE_DATABASE_URL: database,
  })
  const post = (path: string, body: object) =>
    fetch(`${server.url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
  const agentIds: string[] = []
  while (agentIds.length < STREAMS) {
    const response = await post('/v1/agents/', { model: 'openai/gpt-4o-mini', memory_blocks: [] })
    agentIds.push(((await response.json()) as { id: string }).id)
  }
  const idle = await processFigures(server.pid)
  await using db = await openDatabase({ kind: 'postgres', url: database, poolSize: 1 })
  // sessions send their counts at most once a second
  await sleep(2000)
  const [before] = await db.query<{ count: number }>(countCommits)
  await sleep(10_000)
  const [after] = await db.query<{ count: number }>(countCommits)
  let bytes = 0
  const streams = agentIds.map(async (id) => {
    const response = await post(`/v1/agents/${id}/messages/stream`, { input: QUESTION, stream_tokens: true })
    for await (const chunk of response.body ?? []) bytes += (chunk as Uint8Array).length
  })
  await sleep(8000)
  const early = await processFigures(server.pid)
  const bytesBefore = bytes
  await sleep(10_000)
  const late = await processFigures(server.pid)
  const seen = bytes - bytesBefore
  const [connections] = await db.query<{ count: number }>(countConnections)
  await Promise.allSettled(streams)
  await server.stop()
  await db[Symbol.asyncDispose]()
  await remove()
  console.log(`\n${STREAMS} streams at ${EVENTS_PER_SECOND} events/s each, one server`)
  console.log(
    `  resident memory: ${idle.rssMegabytes.toFixed(0)} MB idle, ${late.rssMegabytes.toFixed(0)} MB with the streams: ${(((late.rssMegabytes - idle.rssMegabytes) * 1024) / STREAMS).toFixed(0)} KB a stream`,
  )
  console.log(
    `  CPU of the server: ${((late.cpuMs - early.cpuMs) / 100).toFixed(0)} % of a core; ${(((late.cpuMs - early.cpuMs) * 1000) / (STREAMS * EVENTS_PER_SECOND * 10)).toFixed(0)} µs an event`,
  )
  console.log(
    `  to the clients: ${(seen / (STREAMS * EVENTS_PER_SECOND * 10)).toFixed(0)} bytes an event (${(seen / 1e6 / 10).toFixed(2)} MB/s)`,
  )
  console.log(
    `  transactions a second of the idle server: ${(((after?.count ?? 0) - (before?.count ?? 0)) / 10).toFixed(1)}`,
  )
  console.log(`  connections to PostgreSQL: ${connections?.count}`)
}

if ((process.env.TEST_DATABASE_URL ?? '') === '') {
  console.error('sizing: set TEST_DATABASE_URL to a PostgreSQL with pgvector; here: eval "$(../shared/services/up)"')
  process.exit(2)
}
if (values.only !== 'streams') for (const profile of PROFILES) await measure(profile)
if (values.only !== 'turns') await measureStreams()
