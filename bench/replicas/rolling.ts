import { setTimeout as sleep } from 'node:timers/promises'
import { openDatabase } from '#store/open-database.ts'
import { type Replica, startReplicas } from '../../test/support/replicas.ts'
import { createAgents } from './agents.ts'
import type { Bench } from './bench.ts'
import { note, report, seconds } from './report.ts'
import { countEffects, type RunFacts, readRunFacts } from './run-facts.ts'
import { findStreamProblem, type RunReader, readNewRun, textsOf } from './run-reader.ts'
import { taskText } from './task.ts'

const RUNS = 60
/** 8 steps of 10 pieces, one each 250 ms: 20 s. */
const TASK = { steps: 8, tokens: 10, tokenMs: 250 }
const MAX_GAP_MS = 6000

/**
 * Runs of 20 s on three replicas, of which each is restarted in turn, twice, and two are killed meanwhile. Runs are started anew
 * until the faults are over, so that there is always something to lose.
 */
export async function measureRolling({ env, database, provider }: Bench): Promise<void> {
  const replicas = await startReplicas(3, { LOG_LEVEL: 'warn', ...env })
  const live = new Set(replicas)
  const runs: { key: string; reader: Promise<RunReader> }[] = []
  const pickUrl = (): string => {
    const urls = [...live].map((replica) => replica.url)
    return urls[Math.floor(Math.random() * urls.length)] ?? ''
  }
  try {
    const agents = await createAgents(replicas[0]?.url ?? '', RUNS)
    const faults = { restarts: 0, kills: 0 }
    const isDone = breakThings(replicas, live, faults)
    isDone.catch(() => {})
    // spread over the time that the faults take
    for (const [index, agentId] of agents.entries()) {
      const key = `rolling-${index}`
      // who sends a message to a replica that dies in this moment has no answer, and asks again: not what is measured here
      const reader = readNewRun(agentId, taskText({ key, ...TASK }), { pickUrl })
      reader.catch(() => {})
      runs.push({ key, reader })
      await sleep(index < RUNS / 3 ? 100 : 900)
    }
    await isDone
    const settled = await Promise.allSettled(runs.map(({ reader }) => reader))
    const readers = settled.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
    for (const result of settled) if (result.status === 'rejected') note(`a stream was lost: ${String(result.reason)}`)
    await using db = await openDatabase({ kind: 'postgres', url: database, poolSize: 2 })
    const facts = await readRunFacts(
      db,
      readers.map(({ runId }) => runId),
    )
    judge(runs, readers, facts, (await provider.book()).calls, faults)
  } finally {
    await Promise.all([...live].map((replica) => replica.stop()))
  }
}

async function breakThings(
  replicas: readonly Replica[],
  live: Set<Replica>,
  faults: { restarts: number; kills: number },
): Promise<void> {
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
    const victim = replicas[round]
    if (victim === undefined) continue
    live.delete(victim)
    await victim.kill()
    faults.kills += 1
    await victim.start()
    live.add(victim)
  }
}

function judge(
  runs: readonly { key: string }[],
  readers: readonly RunReader[],
  facts: ReadonlyMap<string, RunFacts>,
  calls: Record<string, number[]>,
  faults: { restarts: number; kills: number },
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
  for (const { key } of runs) {
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
    `${faults.restarts} restarts, ${faults.kills} kills; ${tookOver} runs changed hands; ` +
      `${readers.reduce((sum, { connections }) => sum + connections, 0)} connections of ${readers.length} readers; ` +
      `the provider was asked ${asked} times for ${RUNS * TASK.steps} steps`,
  )
  for (const problem of problems.slice(0, 5)) note(problem)
  const what = `3 replicas, ${RUNS} runs of 20 s, two rolling restarts, two kills`
  report(`${what}: finished once, each step committed and paid once`, `${finished}`, `${RUNS}`, finished === RUNS)
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
