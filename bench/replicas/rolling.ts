import { setTimeout as sleep } from 'node:timers/promises'
import type { Db } from '#store/db.ts'
import { openDatabase } from '#store/open-database.ts'
import { type Replica, startReplicas } from '../../test/support/replicas.ts'
import { createAgents } from './agents.ts'
import type { Bench } from './bench.ts'
import { note, report, seconds } from './report.ts'
import { countEffects, listActiveRuns, type RunFacts, readRunFacts } from './run-facts.ts'
import { findStreamProblem, type RunReader, readNewRun, textsOf } from './run-reader.ts'
import { taskText } from './task.ts'

const RUNS = 60
const AT_ONCE = 20
/** 8 steps of 10 pieces, one each 250 ms: 20 s. */
const TASK = { steps: 8, tokens: 10, tokenMs: 250 }
const MAX_GAP_MS = 6000
/** Streams stay where they are until the end of the grace: a long one only makes the benchmark longer. */
const GRACE = '6s'

interface Faults {
  restarts: number
  kills: number
  /** Runs that the killed replicas worked on. */
  killedRuns: number
}

/**
 * Runs of 20 s on three replicas, of which each is restarted in turn, twice, and after each round the busiest is killed.
 */
export async function measureRolling({ env, database, provider }: Bench): Promise<void> {
  const replicas = await startReplicas(3, { LOG_LEVEL: 'warn', PERDURE_SHUTDOWN_GRACE: GRACE, ...env })
  await using db = await openDatabase({ kind: 'postgres', url: database, poolSize: 2 })
  const live = new Set(replicas)
  const pickUrl = (): string => {
    const urls = [...live].map((replica) => replica.url)
    return urls[Math.floor(Math.random() * urls.length)] ?? ''
  }
  try {
    const agents = await createAgents(replicas[0]?.url ?? '', RUNS)
    const faults: Faults = { restarts: 0, kills: 0, killedRuns: 0 }
    const isDone = breakThings(db, replicas, live, faults)
    isDone.catch(() => {})
    // a third of them at a time, so that there is something to lose as long as things break
    const settled: PromiseSettledResult<RunReader>[] = []
    const keys = agents.map((_agentId, index) => `rolling-${index}`)
    const left = keys.map((key, index) => ({ key, agentId: agents[index] ?? '' }))
    const readAll = async (): Promise<void> => {
      for (let next = left.shift(); next !== undefined; next = left.shift()) {
        const input = taskText({ key: next.key, ...TASK })
        settled.push(...(await Promise.allSettled([readNewRun(next.agentId, input, { pickUrl })])))
      }
    }
    await Promise.all(
      Array.from({ length: AT_ONCE }, async (_, index) => {
        await sleep(index * 200)
        await readAll()
      }),
    )
    await isDone
    const readers = settled.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
    for (const result of settled) if (result.status === 'rejected') note(`a stream was lost: ${String(result.reason)}`)
    const facts = await readRunFacts(
      db,
      readers.map(({ runId }) => runId),
    )
    judge(keys, readers, facts, (await provider.book()).calls, faults)
  } finally {
    await Promise.all([...live].map((replica) => replica.stop()))
  }
}

async function breakThings(db: Db, replicas: readonly Replica[], live: Set<Replica>, faults: Faults): Promise<void> {
  await sleep(3000)
  for (let round = 0; round < 2; round += 1) {
    for (const replica of replicas) {
      // the load balancer's part: no new connections to one that is not ready
      live.delete(replica)
      const code = await replica.stop()
      if (code !== 0) note(`a replica ended with ${code} at its SIGTERM`)
      await replica.start()
      live.add(replica)
      faults.restarts += 1
    }
    const { victim, runs } = await findBusiest(db, replicas)
    live.delete(victim)
    await victim.kill()
    faults.kills += 1
    faults.killedRuns += runs
    await victim.start()
    live.add(victim)
  }
}

/** The replica that works on the most runs: its death is to be felt. */
async function findBusiest(db: Db, replicas: readonly Replica[]): Promise<{ victim: Replica; runs: number }> {
  const active = await listActiveRuns(db)
  const loads = replicas.map((victim) => ({
    victim,
    runs: active.filter(({ lease_owner }) => lease_owner.includes(`-${victim.pid}-`)).length,
  }))
  return loads.reduce((most, each) => (each.runs > most.runs ? each : most))
}

function judge(
  keys: readonly string[],
  readers: readonly RunReader[],
  facts: ReadonlyMap<string, RunFacts>,
  calls: Record<string, number[]>,
  faults: Faults,
): void {
  const rows = readers.map((reader) => ({ reader, row: facts.get(reader.runId) }))
  const finished = rows.filter(
    ({ row }) =>
      row?.status === 'completed' &&
      row.steps === TASK.steps &&
      row.distinct_steps === TASK.steps &&
      row.ledger === TASK.steps &&
      row.ledger_steps === TASK.steps,
  ).length
  let [missing, doubled, asked, neverAsked] = [0, 0, 0, 0]
  for (const key of keys) {
    const memory = rows.find(({ row }) => row?.memory.includes(`m-${key}-0;`))?.row?.memory ?? ''
    const effects = countEffects(memory, key, TASK.steps)
    missing += effects.missing
    doubled += effects.doubled
    for (let step = 0; step < TASK.steps; step += 1) {
      const times = calls[key]?.[step] ?? 0
      asked += times
      if (times === 0) neverAsked += 1
    }
  }
  const problems = readers.flatMap((reader) => {
    const problem = findStreamProblem(reader) ?? findTextProblem(reader, facts.get(reader.runId))
    return problem === undefined ? [] : [`${reader.runId}: ${problem}`]
  })
  const gap = Math.max(...readers.map(({ longestGapMs }) => longestGapMs))
  const tookOver = rows.filter(({ row }) => (row?.lease_token ?? 0) > 1).length
  note(
    `${faults.restarts} restarts, ${faults.kills} kills of ${faults.killedRuns} runs; ${tookOver} runs changed hands; ` +
      `${readers.reduce((sum, { connections }) => sum + connections, 0)} connections of ${readers.length} readers; ` +
      `the provider was asked ${asked} times for ${RUNS * TASK.steps} steps`,
  )
  for (const problem of problems.slice(0, 5)) note(problem)
  const what = `3 replicas, ${RUNS} runs of 20 s, two rolling restarts, two kills`
  report(`${what}: finished once, each step committed and paid once`, `${finished}`, `${RUNS}`, finished === RUNS)
  if (faults.killedRuns === 0) report(`${what}: runs of a replica that was killed`, '0', '≥ 1', false)
  report(`${what}: effects lost, doubled`, `${missing}, ${doubled}`, '0, 0', missing + doubled === 0)
  report(`${what}: steps that the provider was never asked for`, `${neverAsked}`, '0', neverAsked === 0)
  report(`${what}: streams that were not whole`, `${problems.length}`, '0', problems.length === 0)
  report(`${what}: longest gap in any stream`, seconds(gap), '≤ 6 s', gap <= MAX_GAP_MS)
}

/** Each message that was stored must have been told in full; of steps that were broken off there may be more. */
function findTextProblem(reader: RunReader, row: RunFacts | undefined): string | undefined {
  const told = textsOf(reader)
  for (const [id, text] of Object.entries(row?.texts ?? {})) {
    if (told.get(id) !== text)
      return `message ${id} is ${JSON.stringify(text)} and was told as ${JSON.stringify(told.get(id))}`
  }
  return undefined
}
