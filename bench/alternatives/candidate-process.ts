import { setTimeout as sleep } from 'node:timers/promises'
import { newOrderedId } from '#platform/ids.ts'
import { type Db, statement } from '#store/db.ts'
import { openDatabase } from '#store/open-database.ts'
import { percentile } from '../load.ts'
import type { CandidateOptions } from './candidate.ts'
import { CANDIDATES, type CandidateName } from './candidates.ts'

/** What a process of its own does for `compare.ts`; it comes as JSON in the first argument. Answers are lines of JSON on stdout. */
export interface Assignment {
  candidate: CandidateName
  databaseUrl: string
  processName: string
  restate: CandidateOptions['restate']
  agentIds: string[]
  /** load: turns, one after the other per client · stuck: one turn, in which a call of the model gets no answer · serve: wait for work */
  mode: 'load' | 'stuck' | 'serve'
  clients: number
  seconds: number
  /** Of the turn of `stuck`, and which call of the model is the one; 1 is the first. */
  runId: string
  stuckAtCall: number
}

export interface LoadFigures {
  turns: number
  turnsPerSecond: number
  p50: number
  p99: number
  /** Of this process, without its workers elsewhere. */
  cpuMsPerTurn: number
  rssMegabytes: number
  /** Of PostgreSQL; BEGIN and COMMIT count too. Undefined where pg_stat_statements is not loaded. */
  statementsPerTurn: number | undefined
  walBytesPerTurn: number
}

const counters = statement('bench-counters', `select pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::float8 as wal`)
const hasStatements = statement(
  'bench-has-statements',
  `select current_setting('shared_preload_libraries') like '%pg_stat_statements%' as yes`,
)
const countStatements = statement(
  'bench-count-statements',
  `select sum(s.calls)::float8 as calls from pg_stat_statements as s
   where s.dbid = (select d.oid from pg_database as d where d.datname = current_database())`,
)

async function readCounters(db: Db) {
  const [row] = await db.query<{ wal: number }>(counters)
  const [{ yes } = { yes: false }] = await db.query<{ yes: boolean }>(hasStatements)
  if (yes) await db.execute('create extension if not exists pg_stat_statements')
  const [calls] = yes ? await db.query<{ calls: number }>(countStatements) : []
  return { wal: row?.wal ?? 0, calls: calls?.calls }
}

async function load(assignment: Assignment, db: Db, turn: (agentId: string, runId: string) => Promise<void>) {
  const { agentIds, clients, seconds } = assignment
  let next = 0
  const latencies: number[] = []
  const runFor = async (milliseconds: number) => {
    const until = performance.now() + milliseconds
    await Promise.all(
      Array.from({ length: clients }, async (_, client) => {
        // each client has threads of its own and goes round them, so that no context grows long
        const own = agentIds.filter((_, index) => index % clients === client)
        while (performance.now() < until) {
          const startedAt = performance.now()
          await turn(own[next++ % own.length] ?? '', newOrderedId('run'))
          latencies.push(performance.now() - startedAt)
        }
      }),
    )
  }
  await runFor(1500)
  const before = await readCounters(db)
  latencies.length = 0
  const cpu = process.cpuUsage()
  const startedAt = performance.now()
  await runFor(seconds * 1000)
  const elapsed = (performance.now() - startedAt) / 1000
  const { user, system } = process.cpuUsage(cpu)
  const after = await readCounters(db)
  const turns = latencies.length
  return {
    turns,
    turnsPerSecond: turns / elapsed,
    p50: percentile(latencies, 0.5),
    p99: percentile(latencies, 0.99),
    cpuMsPerTurn: (user + system) / 1000 / turns,
    rssMegabytes: process.memoryUsage.rss() / 2 ** 20,
    statementsPerTurn:
      after.calls === undefined || before.calls === undefined ? undefined : (after.calls - before.calls) / turns,
    walBytesPerTurn: (after.wal - before.wal) / turns,
  } satisfies LoadFigures
}

const tell = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`)

const assignment = JSON.parse(process.argv[2] ?? '{}') as Assignment
const db = await openDatabase({ kind: 'postgres', url: assignment.databaseUrl, poolSize: 20 })
const isStuck = assignment.mode === 'stuck'
let calls = 0
const candidate = await CANDIDATES[assignment.candidate]({
  db,
  databaseUrl: assignment.databaseUrl,
  processName: assignment.processName,
  concurrency: assignment.clients,
  restate: assignment.restate,
  async model() {
    calls += 1
    if (!isStuck || calls !== assignment.stuckAtCall) return
    tell({ asked: true })
    await sleep(3_600_000)
  },
})
tell({ open: true })
if (assignment.mode === 'load') {
  tell({ figures: await load(assignment, db, (agentId, runId) => candidate.turn(agentId, runId)) })
  await candidate[Symbol.asyncDispose]()
  await db[Symbol.asyncDispose]()
  process.exit(0)
}
if (isStuck) {
  await candidate.turn(assignment.agentIds[0] ?? '', assignment.runId)
  tell({ ended: true })
}
