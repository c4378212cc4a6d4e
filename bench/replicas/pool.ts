import { setTimeout as sleep } from 'node:timers/promises'
import { openDatabase } from '#store/open-database.ts'
import { createAgents } from './agents.ts'
import type { Bench } from './bench.ts'
import { startMeasuredServer } from './measured-server.ts'
import { ms, note, report } from './report.ts'
import { countIdleInTransaction } from './run-facts.ts'
import { findStreamProblem, readNewRun } from './run-reader.ts'
import { taskText } from './task.ts'

const RUNS = 500
const POOL = 10
/** The model thinks for so long, at each of two steps: longer than the start of all runs takes. */
const FIRST_MS = 12_000
/** Whoever has a connection for so long has waited with it. */
const HELD_MS = FIRST_MS / 4

/** Many runs at once with few connections: all of them wait for the model at the same time, and none has a connection. */
export async function measurePool({ env, folder, database, provider }: Bench): Promise<void> {
  const server = await startMeasuredServer({ ...env, PERDURE_DATABASE_POOL_SIZE: String(POOL) }, folder)
  await using db = await openDatabase({ kind: 'postgres', url: database, poolSize: 1 })
  try {
    const agents = await createAgents(server.url, RUNS)
    await server.read()
    const runs = Promise.all(
      agents.map((agentId, index) =>
        readNewRun(agentId, taskText({ key: `pool-${index}`, steps: 2, firstMs: FIRST_MS }), {
          pickUrl: () => server.url,
        }),
      ),
    )
    let isOver = false
    const ended = runs.finally(() => {
      isOver = true
    })
    ended.catch(() => {})
    let [maxWaiting, maxIdleInTransaction, samples] = [0, 0, 0]
    while (!isOver) {
      maxIdleInTransaction = Math.max(maxIdleInTransaction, await countIdleInTransaction(db))
      if (samples % 4 === 0) maxWaiting = Math.max(maxWaiting, (await provider.book()).active)
      samples += 1
      await sleep(50)
    }
    const readers = await ended
    const { longestHeldMs, maxConnectionsHeld } = await server.read()
    const finished = readers.filter((reader) => findStreamProblem(reader) === undefined).length
    note(
      `${maxWaiting} runs waited for the model at once; ${maxConnectionsHeld} connections in hand at most; ${maxIdleInTransaction} sessions ` +
        `between two statements of a transaction at most, in ${samples} looks`,
    )
    const what = `${RUNS} parallel runs with a pool of ${POOL}`
    report(`${what}: finished`, `${finished}`, `${RUNS}`, finished === RUNS)
    report(
      `${what}: longest that a connection was in hand, while the model took ${FIRST_MS / 1000} s`,
      ms(longestHeldMs),
      `< ${HELD_MS} ms, ≥ ${RUNS * 0.8} waiting at once`,
      longestHeldMs < HELD_MS && maxWaiting >= RUNS * 0.8 && maxConnectionsHeld <= POOL,
    )
  } finally {
    await server.stop()
  }
}
