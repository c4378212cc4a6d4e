import { setTimeout as sleep } from 'node:timers/promises'
import { startReplicas } from '../../test/support/replicas.ts'
import { createAgents } from './agents.ts'
import type { Bench } from './bench.ts'
import { note, report } from './report.ts'
import { findStreamProblem, readNewRun } from './run-reader.ts'
import { taskText } from './task.ts'

/** Runs that one replica works on at once. */
const BOUND = 40
const RUNS = BOUND * 2 * 4
const FIRST_MS = 3000
const WARM_UP_MS = 2500
const MEASURE_MS = 6000

/** Runs in flight at the provider, of two replicas with a bound each against one: what waits for a model costs no processor. */
export async function measureTwo(bench: Bench): Promise<void> {
  const one = await measureInFlight(bench, 1)
  const two = await measureInFlight(bench, 2)
  const ratio = two / one
  note(`bound of ${BOUND} runs a replica`)
  report(
    'two replicas against one, runs in flight',
    `${ratio.toFixed(2)} × (${two.toFixed(1)} against ${one.toFixed(1)})`,
    '≥ 1.9 ×',
    ratio >= 1.9,
  )
}

async function measureInFlight({ env, provider }: Bench, count: number): Promise<number> {
  const replicas = await startReplicas(count, { LOG_LEVEL: 'warn', PERDURE_MAX_ACTIVE_RUNS: String(BOUND), ...env })
  try {
    const runs = (RUNS * count) / 2
    const agents = await createAgents(replicas[0]?.url ?? '', runs)
    const readers = Promise.all(
      agents.map((agentId, index) =>
        readNewRun(agentId, taskText({ key: `two-${count}-${index}`, firstMs: FIRST_MS }), {
          pickUrl: () => replicas[index % count]?.url ?? '',
        }),
      ),
    )
    readers.catch(() => {})
    await sleep(WARM_UP_MS)
    await provider.book({ isReset: true })
    await sleep(MEASURE_MS)
    const { activeMs, sinceMs } = await provider.book()
    const bad = (await readers).filter((reader) => findStreamProblem(reader) !== undefined)
    if (bad.length > 0) throw new Error(`${bad.length} of ${runs} runs did not end well`)
    return activeMs / sinceMs
  } finally {
    await Promise.all(replicas.map((replica) => replica.stop()))
  }
}
