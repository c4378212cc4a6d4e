import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { DEFAULT_ORGANIZATION_ID, newOrderedId } from '#platform/ids.ts'
import { type Db, statement } from '#store/db.ts'
import { openDatabase } from '#store/open-database.ts'
import { type ProviderProcess, startProviderProcess } from '../test/support/provider-process.ts'
import { scriptedModel } from '../test/support/scripted-model.ts'
import { freePort, type ServerProcess, startServerProcess } from '../test/support/server-process.ts'
import { createTestAgent, createTestEngine, say } from '../test/support/test-agent.ts'
import { createPostgresDatabase, openTestDatabase } from '../test/support/test-database.ts'
import { percentile, runLoad } from './load.ts'

/**
 * The numbers of the spine, against their bars: `npm run bench`, or one of them: `npm run bench latency` (statements, latency,
 * throughput, history, start, memory). The model is an HTTP provider in another process that answers
 * at once. Figures of one run on one machine: read the ratios, the absolute ones depend on what else the machine does.
 */
const CLIENTS = 32
/** Agents that take turns where one client is measured. */
const AGENTS = 20
const ROUNDS = 3

interface Row {
  what: string
  value: string
  bar: string
  isMet: boolean
}
const rows: Row[] = []
function report(what: string, value: string, bar: string, isMet: boolean): void {
  rows.push({ what, value, bar, isMet })
  console.log(`${isMet ? 'ok  ' : 'MISS'}  ${what}: ${value}  (bar ${bar})`)
}
const ms = (value: number): string => `${value.toFixed(1)} ms`
const progress = (line: string): void => console.log(`      ${line}…`)
const median = (values: readonly number[]): number => percentile(values, 0.5)

async function createAgent(origin: string, over: object = {}): Promise<string> {
  const response = await fetch(`${origin}/v1/agents/`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      model: 'openai/gpt-4o-mini',
      memory_blocks: [
        { label: 'human', value: '' },
        { label: 'persona', value: 'I am Ada.' },
      ],
      ...over,
    }),
  })
  if (!response.ok) throw new Error(await response.text())
  return ((await response.json()) as { id: string }).id
}

const turnPath = (agentId: string): string => `/v1/agents/${agentId}/messages`
const TURN = { input: 'What is the weather like where you are?' }

/** Statements of a whole turn, divided by its steps. BEGIN and COMMIT count too. */
async function countStatements(): Promise<void> {
  progress('counting statements')
  const names: string[] = []
  await using db = await openTestDatabase({ onStatement: (name) => names.push(name) })
  const measure = async (hasTool: boolean): Promise<[perStep: number, names: string[]]> => {
    const { registry } = scriptedModel((_request, index) =>
      hasTool && index % 2 === 0
        ? { toolCalls: [{ name: 'memory_insert', arguments: { label: 'human', new_string: `fact ${index}` } }] }
        : { text: 'Ok.' },
    )
    const agentId = await createTestAgent(db, registry)
    const engine = createTestEngine(db, registry)
    await say(engine, agentId, 'warm up')
    names.length = 0
    const said = await say(engine, agentId, 'count me')
    return [names.length / said.end.stepCount, [...names]]
  }
  const [plain, plainNames] = await measure(false)
  const [tool, toolNames] = await measure(true)
  report('statements per step, without tools', `${plain} (${plainNames.join(', ')})`, '≤ 6', plain <= 6)
  report(
    'statements per step, with one memory tool',
    `${tool}; whole turn ${toolNames.length} (${toolNames.join(', ')})`,
    '≤ 9',
    tool <= 9,
  )
}

async function withServer<Result>(
  env: Record<string, string>,
  work: (server: ServerProcess) => Promise<Result>,
): Promise<Result> {
  const server = await startServerProcess(await freePort(), { LOG_LEVEL: 'warn', ...env })
  try {
    return await work(server)
  } finally {
    await server.stop()
  }
}

/** The same requests straight to the provider: what a turn would cost without us. */
async function providerLatency(provider: ProviderProcess): Promise<number> {
  const { p50 } = await runLoad(new URL(provider.url).origin, {
    clients: 1,
    requests: 300,
    pathOf: () => '/v1/chat/completions',
    body: { model: 'gpt-4o-mini', stream: true, messages: [{ role: 'user', content: TURN.input }] },
  })
  return p50
}

async function addedLatency(name: string, env: Record<string, string>, provider: ProviderProcess): Promise<void> {
  progress(`latency on ${name}`)
  await withServer(env, async ({ url }) => {
    // the turns go round the agents, so that none has more than 50 messages in context, the window that operators plan with
    const agents = await Promise.all(Array.from({ length: AGENTS }, () => createAgent(url)))
    let count = 0
    const load = (requests: number) =>
      runLoad(url, { clients: 1, requests, pathOf: () => turnPath(agents[count++ % AGENTS] ?? ''), body: TURN })
    await load(AGENTS * 5)
    const turn = await load(AGENTS * 20)
    const direct = await providerLatency(provider)
    const added = turn.p50 - direct
    report(
      `added latency of a turn at one client, p50, ${name}`,
      `${ms(added)} (turn ${ms(turn.p50)}, provider ${ms(direct)})`,
      '≤ 8 ms',
      added <= 8,
    )
  })
}

async function startFloor(database: string): Promise<{ url: string; stop: () => Promise<void> }> {
  const port = await freePort()
  const script = fileURLToPath(new URL('./floor-server.ts', import.meta.url))
  const child = spawn(process.execPath, [script, '--database', database, '--port', String(port)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(child.stdout, 'data')
  return {
    url: `http://127.0.0.1:${port}`,
    async stop() {
      child.kill()
      await once(child, 'exit')
    },
  }
}

async function throughput(database: string, env: Record<string, string>): Promise<void> {
  progress(`turns per second, ${CLIENTS} clients`)
  await withServer(env, async ({ url }) => {
    const floor = await startFloor(database)
    const create = () => Promise.all(Array.from({ length: CLIENTS }, () => createAgent(url)))
    const ratios: number[] = []
    const figures: string[] = []
    for (let round = 0; round <= ROUNDS; round += 1) {
      // fresh agents each round, so that both sides see contexts of the same length
      const [own, bare] = [await create(), await create()]
      const turns = await runLoad(url, {
        clients: CLIENTS,
        requests: 1500,
        pathOf: (client) => turnPath(own[client] ?? ''),
        body: TURN,
      })
      const statements = await runLoad(floor.url, {
        clients: CLIENTS,
        requests: 1500,
        pathOf: (client) => `/turn/${bare[client]}`,
        body: TURN,
      })
      // the first round warms both up
      if (round === 0) continue
      ratios.push(turns.perSecond / statements.perSecond)
      figures.push(`${turns.perSecond.toFixed(0)}/${statements.perSecond.toFixed(0)}`)
    }
    await floor.stop()
    const ratio = median(ratios)
    report(
      `turns per second on PostgreSQL, ${CLIENTS} clients, against the floor`,
      `${ratio.toFixed(2)} of the floor (turns/floor per round: ${figures.join(', ')})`,
      '≥ 0.5',
      ratio >= 0.5,
    )
  })
}

const fillHistory = statement(
  'bench-fill-history',
  `insert into messages (organization_id, id, agent_id, conversation_id, role, content, run_id, search)
   select $1, 'message-' || gen_random_uuid(), $2, c.id, case when n % 2 = 0 then 'user' else 'assistant' end,
     jsonb_build_array(jsonb_build_object('type', 'text', 'text', 'message number ' || n || ' about nothing in particular')),
     $4, perdure_words('message number ' || n || ' about nothing in particular')
   from conversations as c cross join generate_series(1, $3::integer) as n
   where c.organization_id = $1 and c.agent_id = $2 and c.is_default order by n`,
)
const moveContext = statement(
  'bench-move-context',
  `update conversations as c set message_count = message_count + $3::integer, context_start_seq =
     (select m.seq from messages as m where m.agent_id = $2 order by m.seq desc offset 19 limit 1), context_start_at = now() - interval '1 hour'
   where c.organization_id = $1 and c.agent_id = $2`,
)

/** Two agents with the same 20 messages in context, one of them with 20 000 more behind it. Their turns alternate. */
async function historyCost(database: string, env: Record<string, string>): Promise<void> {
  progress('a turn with a long history')
  await using db: Db = await openDatabase({ kind: 'postgres', url: database })
  await withServer(env, async ({ url }) => {
    const withHistory = async (count: number): Promise<string> => {
      const agentId = await createAgent(url)
      await db.query(fillHistory, [DEFAULT_ORGANIZATION_ID, agentId, count, newOrderedId('run')])
      await db.query(moveContext, [DEFAULT_ORGANIZATION_ID, agentId, count])
      return agentId
    }
    const short = await withHistory(20)
    const long = await withHistory(20_000)
    const measure = async (agentId: string) =>
      (await runLoad(url, { clients: 1, requests: 60, pathOf: () => turnPath(agentId), body: TURN })).p50
    await measure(short)
    await measure(long)
    const ratios: number[] = []
    for (let round = 0; round < 5; round += 1) {
      const before = await measure(short)
      ratios.push((await measure(long)) / before)
    }
    const ratio = median(ratios)
    report(
      'cost of a turn with 20 000 earlier messages against 20',
      `${ratio.toFixed(2)} × (p50, median of 5 pairs)`,
      '≤ 1.3 ×',
      ratio <= 1.3,
    )
  })
}

async function startTimes(database: string, dataDir: string): Promise<void> {
  progress('start to /ready')
  const measure = async (env: Record<string, string>) => {
    const server = await startServerProcess(await freePort(), { LOG_LEVEL: 'warn', ...env })
    const rss = await residentMegabytes(server.pid)
    await server.stop()
    return { seconds: server.readyAfterMs / 1000, rss }
  }
  const fresh: number[] = []
  const existing: number[] = []
  const postgres: number[] = []
  for (let round = 0; round < ROUNDS; round += 1) {
    const env = { PERDURE_DATA_DIR: join(dataDir, `start-${round}`) }
    fresh.push((await measure(env)).seconds)
    existing.push((await measure(env)).seconds)
    postgres.push((await measure({ PERDURE_DATABASE_URL: database })).seconds)
  }
  const seconds = (values: number[]) => `${median(values).toFixed(2)} s`
  report('start to /ready, new embedded database', seconds(fresh), '≤ 4 s', median(fresh) <= 4)
  report('start to /ready, existing embedded database', seconds(existing), '≤ 2.5 s', median(existing) <= 2.5)
  report('start to /ready, PostgreSQL', seconds(postgres), '≤ 1 s', median(postgres) <= 1)
}

async function residentMegabytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? Number.NaN) / 1024
}

async function idleMemory(env: Record<string, string>): Promise<void> {
  progress('resident memory')
  await withServer(env, async (server) => {
    const agentId = await createAgent(server.url)
    await runLoad(server.url, { clients: 4, requests: 40, pathOf: () => turnPath(agentId), body: TURN })
    await new Promise((resolve) => setTimeout(resolve, 5_000))
    const rss = await residentMegabytes(server.pid)
    report(
      'resident memory, idle, on PostgreSQL (after 40 turns, 5 s idle)',
      `${rss.toFixed(0)} MB`,
      '≤ 200 MB',
      rss <= 200,
    )
  })
}

const only = process.argv[2]
const isWanted = (name: string): boolean => only === undefined || name.includes(only)

if ((process.env.TEST_DATABASE_URL ?? '') === '') {
  console.error('bench: set TEST_DATABASE_URL to a PostgreSQL with pgvector; here: eval "$(../shared/services/up)"')
  process.exit(2)
}
const provider = await startProviderProcess('instant-text')
const dataDir = await mkdtemp(join(tmpdir(), 'perdure-bench-'))
const { url: database, remove } = await createPostgresDatabase()
const models = { OPENAI_API_KEY: 'sk-bench', OPENAI_BASE_URL: provider.url }
try {
  if (isWanted('statements')) await countStatements()
  if (isWanted('latency'))
    await addedLatency('PGlite', { ...models, PERDURE_DATA_DIR: join(dataDir, 'latency') }, provider)
  if (isWanted('latency')) await addedLatency('PostgreSQL', { ...models, PERDURE_DATABASE_URL: database }, provider)
  if (isWanted('throughput')) await throughput(database, { ...models, PERDURE_DATABASE_URL: database })
  if (isWanted('history')) await historyCost(database, { ...models, PERDURE_DATABASE_URL: database })
  if (isWanted('start')) await startTimes(database, dataDir)
  if (isWanted('memory')) await idleMemory({ ...models, PERDURE_DATABASE_URL: database })
} finally {
  await provider.stop()
  await remove()
  await rm(dataDir, { recursive: true, force: true })
}
const missed = rows.filter((row) => !row.isMet)
console.log(missed.length === 0 ? `\nall ${rows.length} bars met` : `\n${missed.length} of ${rows.length} bars missed`)
process.exitCode = missed.length === 0 ? 0 : 1
