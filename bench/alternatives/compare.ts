import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { newOrderedId } from '#platform/ids.ts'
import { statement } from '#store/db.ts'
import { openDatabase } from '#store/open-database.ts'
import { ensurePartitions } from '#store/partitions.ts'
import { freePort } from '../../test/support/server-process.ts'
import { createTestAgent } from '../../test/support/test-agent.ts'
import { createPostgresDatabase } from '../../test/support/test-database.ts'
import { testModelRegistry } from '../../test/support/test-models.ts'
import { percentile } from '../load.ts'
import type { Assignment, LoadFigures } from './candidate-process.ts'
import { CANDIDATES, type CandidateName } from './candidates.ts'
import { installPackages, restateServer } from './packages.ts'

/**
 * The same durable turn (two steps, one memory tool, the model answers at once) looked after by our engine, DBOS, pg-boss,
 * Graphile Worker and Restate, on one PostgreSQL; docs/decisions/0005 tells what came out.
 *
 *   node bench/alternatives/compare.ts [load|latency|takeover|atomic] [candidate …]
 *
 * Needs TEST_DATABASE_URL; counts statements where that server has pg_stat_statements preloaded, and the WAL is the whole
 * server's: give it one that nobody else uses. Installs the alternatives into a folder outside the tree. The rounds of the
 * candidates alternate; read the ratios.
 */
const ROUNDS = Number(process.env.ROUNDS ?? 3)
const SECONDS = Number(process.env.SECONDS ?? 5)
const CLIENTS = 16
const AGENTS_PER_CLIENT = 12
const TAKE_OVER_LIMIT_MS = 40_000
const TELL_LIMIT_MS = 60_000
const PROCESS = fileURLToPath(new URL('candidate-process.ts', import.meta.url))

interface Restate {
  addresses: Omit<Assignment['restate'], 'servicePort'>
  stop(): Promise<void>
}

/** Restate's server, from its npm package, with its defaults and a new store. */
async function startRestate(): Promise<Restate> {
  const dir = await mkdtemp(join(tmpdir(), 'perdure-restate-'))
  const [ingress, admin, node] = [await freePort(), await freePort(), await freePort()]
  const child = spawn(restateServer(), ['--base-dir', dir, '--no-logo', '--log-filter', 'error'], {
    env: {
      PATH: process.env.PATH,
      RESTATE_INGRESS__BIND_ADDRESS: `127.0.0.1:${ingress}`,
      RESTATE_ADMIN__BIND_ADDRESS: `127.0.0.1:${admin}`,
      RESTATE_BIND_ADDRESS: `127.0.0.1:${node}`,
      RESTATE_LISTEN_MODE: 'tcp',
      RESTATE_DISABLE_TELEMETRY: 'true',
    },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const addresses = { ingressUrl: `http://127.0.0.1:${ingress}`, adminUrl: `http://127.0.0.1:${admin}` }
  for (let attempt = 0; ; attempt += 1) {
    const isReady = await fetch(`${addresses.adminUrl}/health`).then(
      ({ ok }) => ok,
      () => false,
    )
    if (isReady) break
    if (attempt === 300) throw new Error('restate-server does not answer')
    await sleep(100)
  }
  return {
    addresses,
    async stop() {
      child.kill('SIGKILL')
      await once(child, 'exit')
      await rm(dir, { recursive: true, force: true })
    },
  }
}

interface Stage extends AsyncDisposable {
  databaseUrl: string
  agentIds: string[]
  restate: Assignment['restate']
}

/** A new database with agents, and for Restate a new server: no candidate sees what another left. */
async function setStage(candidate: CandidateName, agents: number): Promise<Stage> {
  const { url, remove } = await createPostgresDatabase()
  await using db = await openDatabase({ kind: 'postgres', url, poolSize: 4 })
  await ensurePartitions(db, new Date())
  const registry = testModelRegistry()
  const agentIds: string[] = []
  for (let count = 0; count < agents; count += 1) agentIds.push(await createTestAgent(db, registry))
  const server = candidate === 'restate' ? await startRestate() : undefined
  return {
    databaseUrl: url,
    agentIds,
    restate: { ingressUrl: '', adminUrl: '', ...server?.addresses, servicePort: await freePort() },
    async [Symbol.asyncDispose]() {
      await server?.stop()
      await remove()
    },
  }
}

interface Line {
  open?: true
  asked?: true
  ended?: true
  figures?: LoadFigures
}

class CandidateProcess {
  readonly #child: ChildProcess
  readonly #lines: Line[] = []
  #wake = () => {}
  #hasEnded = false

  constructor(assignment: Assignment) {
    this.#child = spawn(process.execPath, [PROCESS, JSON.stringify(assignment)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    this.#child.once('exit', () => {
      this.#hasEnded = true
      this.#wake()
    })
    if (this.#child.stdout === null) throw new Error('no stdout')
    createInterface({ input: this.#child.stdout }).on('line', (line) => {
      if (!line.startsWith('{"')) return
      this.#lines.push(JSON.parse(line) as Line)
      this.#wake()
    })
  }

  async until<Key extends keyof Line>(key: Key): Promise<NonNullable<Line[Key]>> {
    const until = performance.now() + TELL_LIMIT_MS
    for (;;) {
      const found = this.#lines.find((line) => line[key] !== undefined)
      if (found !== undefined) return found[key] as NonNullable<Line[Key]>
      if (this.#hasEnded) throw new Error(`the process ended before it told '${key}'`)
      if (performance.now() > until) throw new Error(`the process did not tell '${key}' in ${TELL_LIMIT_MS / 1000} s`)
      await Promise.race([
        new Promise<void>((resolve) => {
          this.#wake = resolve
        }),
        sleep(1000),
      ])
    }
  }

  async kill(): Promise<void> {
    if (this.#hasEnded) return
    this.#child.kill('SIGKILL')
    await once(this.#child, 'exit')
  }
}

const base = (candidate: CandidateName, stage: Stage): Assignment => ({
  candidate,
  databaseUrl: stage.databaseUrl,
  processName: 'process-1',
  restate: stage.restate,
  agentIds: stage.agentIds,
  mode: 'load',
  clients: CLIENTS,
  seconds: SECONDS,
  runId: newOrderedId('run'),
  stuckAtCall: 1,
})

async function measureLoad(candidate: CandidateName, clients: number): Promise<LoadFigures> {
  await using stage = await setStage(candidate, clients * AGENTS_PER_CLIENT)
  const child = new CandidateProcess({ ...base(candidate, stage), clients })
  try {
    return await child.until('figures')
  } finally {
    await child.kill()
  }
}

const median = (values: readonly number[]): number => percentile(values, 0.5)
const digits = (value: number | undefined, places = 1): string => (value === undefined ? '-' : value.toFixed(places))

async function compareLoad(names: CandidateName[], clients: number): Promise<void> {
  const figures = new Map<CandidateName, LoadFigures[]>()
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const name of round % 2 === 0 ? names : names.toReversed()) {
      try {
        const figure = await measureLoad(name, clients)
        figures.set(name, [...(figures.get(name) ?? []), figure])
        console.log(`      round ${round + 1} ${name}: ${figure.turnsPerSecond.toFixed(0)} turns/s`)
      } catch (error) {
        console.log(`      round ${round + 1} ${name}: ${String(error)}`)
      }
    }
  }
  console.log(`\n${clients} client(s), ${SECONDS} s, median of ${ROUNDS} rounds, 2 steps a turn`)
  console.log(
    'candidate  | steps/s | of floor | turn p50 ms | p99 ms | CPU ms/turn | statements/step | WAL bytes/turn | RSS MB',
  )
  const middle = (name: CandidateName, key: keyof LoadFigures): number =>
    median((figures.get(name) ?? []).map((figure) => figure[key] ?? Number.NaN))
  for (const name of names) {
    console.log(
      [
        name.padEnd(10),
        digits(middle(name, 'turnsPerSecond') * 2, 0),
        digits(middle(name, 'turnsPerSecond') / middle('floor', 'turnsPerSecond'), 2),
        digits(middle(name, 'p50')),
        digits(middle(name, 'p99')),
        digits(middle(name, 'cpuMsPerTurn'), 2),
        digits(middle(name, 'statementsPerTurn') / 2),
        digits(middle(name, 'walBytesPerTurn'), 0),
        digits(middle(name, 'rssMegabytes'), 0),
      ].join(' | '),
    )
  }
}

const findStatus = statement('bench-run-status', 'select r.status, r.step_count from runs as r where r.id = $1')

/** Milliseconds from kill -9 in the middle of a model call to the end of the run elsewhere; undefined after the limit. */
async function measureTakeOver(candidate: CandidateName, how: 'other' | 'restarted'): Promise<number | undefined> {
  await using stage = await setStage(candidate, 1)
  const first = { ...base(candidate, stage), mode: 'stuck' as const, clients: 2 }
  const victim = new CandidateProcess(first)
  await victim.until('asked')
  const second = { ...first, mode: 'serve' as const, processName: how === 'other' ? 'process-2' : 'process-1' }
  const isElsewhere = how === 'other' && candidate !== 'restate'
  let heir: CandidateProcess | undefined
  if (isElsewhere) {
    heir = new CandidateProcess(second)
    await heir.until('open')
    // past every start-up look for work
    await sleep(2_000)
  }
  await using db = await openDatabase({ kind: 'postgres', url: stage.databaseUrl, poolSize: 1 })
  await victim.kill()
  const killedAt = performance.now()
  heir ??= new CandidateProcess(second)
  try {
    while (performance.now() - killedAt < TAKE_OVER_LIMIT_MS) {
      const [row] = await db.query<{ status: string; step_count: number }>(findStatus, [first.runId])
      if (row?.status === 'completed') return performance.now() - killedAt
      await sleep(20)
    }
    return undefined
  } finally {
    await heir.kill()
  }
}

async function compareTakeOver(names: CandidateName[]): Promise<void> {
  for (const name of names) {
    if (name === 'floor') continue
    for (const how of ['other', 'restarted'] as const) {
      if (name === 'restate' && how === 'other') continue
      const times: string[] = []
      for (let round = 0; round < ROUNDS; round += 1) {
        const time = await measureTakeOver(name, how).catch((error: unknown) => String(error))
        times.push(
          typeof time === 'number' ? (time / 1000).toFixed(1) : (time ?? `not in ${TAKE_OVER_LIMIT_MS / 1000}`),
        )
        if (typeof time !== 'number') break
      }
      console.log(
        `take-over, ${name}, ${how === 'other' ? 'by another process' : 'by the process restarted'}: ${times.join(', ')} s`,
      )
    }
  }
}

/** Rows that one transaction wrote have the same `xmin`: is there such a pair of a row of ours and a record of the candidate? */
async function showAtomicity(
  candidate: CandidateName,
  checks: { at: Partial<Assignment>; when: keyof Line; ours: string; theirs: string; what: string }[],
): Promise<void> {
  for (const { at, when, ours, theirs, what } of checks) {
    await using stage = await setStage(candidate, 1)
    const assignment = { ...base(candidate, stage), mode: 'stuck' as const, clients: 2, ...at }
    const child = new CandidateProcess(assignment)
    await child.until(when)
    // what it writes after the turn
    await sleep(1000)
    await using db = await openDatabase({ kind: 'postgres', url: stage.databaseUrl, poolSize: 1 })
    const text = `select count(*)::integer as all, count(*) filter (where t.xmin = (${ours}))::integer as same from ${theirs} as t`
    const [row] = await db.query<{ all: number; same: number }>({ name: 'bench-atomicity', text }, [assignment.runId])
    console.log(`atomic, ${candidate}: ${what}: ${row?.same} of ${row?.all} records in our transaction`)
    await child.kill()
  }
}

async function compareAtomicity(): Promise<void> {
  const toolMessage = `select m.xmin from messages as m where m.run_id = $1 and m.role = 'tool'`
  const userMessage = `select m.xmin from messages as m where m.run_id = $1 and m.role = 'user'`
  const run = 'select r.xmin from runs as r where r.id = $1'
  const afterTool = { at: { stuckAtCall: 2 }, when: 'asked' as const }
  await showAtomicity('dbos-lean', [
    { ...afterTool, ours: userMessage, theirs: 'dbos.workflow_status', what: 'workflow and accepted message' },
    {
      ...afterTool,
      ours: toolMessage,
      theirs: 'dbos.transaction_completion',
      what: 'outcome of a transaction and tool effect',
    },
    { ...afterTool, ours: toolMessage, theirs: 'dbos.operation_outputs', what: 'step of the workflow and tool effect' },
  ])
  const afterTurn = { at: { stuckAtCall: 3 }, when: 'ended' as const }
  await showAtomicity('pg-boss', [
    { ...afterTurn, ours: run, theirs: 'pgboss.job', what: 'job completed and run ended' },
  ])
  await showAtomicity('graphile', [
    {
      ...afterTurn,
      ours: run,
      theirs: 'graphile_worker._private_jobs',
      what: 'job completed and run ended (a done job is deleted)',
    },
  ])
}

const [what = 'load', ...wanted] = process.argv.slice(2)
if ((process.env.TEST_DATABASE_URL ?? '') === '') {
  console.error('compare: set TEST_DATABASE_URL to a PostgreSQL with pgvector; here: eval "$(../shared/services/up)"')
  process.exit(2)
}
await installPackages()
const all = Object.keys(CANDIDATES) as CandidateName[]
const names = wanted.length === 0 ? all : all.filter((name) => wanted.includes(name))
if (what === 'load') await compareLoad(names, CLIENTS)
else if (what === 'latency') await compareLoad(names, 1)
else if (what === 'takeover') await compareTakeOver(names)
else if (what === 'atomic') await compareAtomicity()
else throw new Error(`unknown measurement '${what}'`)
