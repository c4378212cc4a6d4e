import { openDatabase } from '#store/open-database.ts'
import { startReplicas } from '../../test/support/replicas.ts'
import { createAgents } from './agents.ts'
import type { Bench } from './bench.ts'
import { note, report } from './report.ts'
import { readRunFacts } from './run-facts.ts'
import { findStreamProblem, type RunReader, readNewRun, readRun, textsOf } from './run-reader.ts'
import { taskText } from './task.ts'

const CUTS = 200
const RUNS = 20
/** 4 steps of 40 pieces, one each 50 ms: 8 s and some 60 000 bytes. */
const TASK = { steps: 4, tokens: 40, tokenMs: 50 }
const CUTS_PER_RUN = CUTS / RUNS
const BYTES = 60_000

/** Readers that leave at random bytes and go on at another replica each time, against the same run read again in one piece. */
export async function measureReader({ env, database }: Bench): Promise<void> {
  const replicas = await startReplicas(3, { LOG_LEVEL: 'warn', ...env })
  try {
    const agents = await createAgents(replicas[0]?.url ?? '', RUNS)
    const readers = await Promise.all(
      agents.map((agentId, index) =>
        readNewRun(agentId, taskText({ key: `reader-${index}`, ...TASK }), {
          pickUrl: (connection) => replicas[(index + connection) % replicas.length]?.url ?? '',
          cutAfterBytes: (connection) =>
            // the first ping is read, so that the run is known
            connection < CUTS_PER_RUN ? 400 + Math.random() * ((BYTES / CUTS_PER_RUN) * 1.6) : undefined,
        }),
      ),
    )
    const cuts = readers.reduce((sum, { connections }) => sum + connections - 1, 0)
    await using db = await openDatabase({ kind: 'postgres', url: database, poolSize: 2 })
    const facts = await readRunFacts(
      db,
      readers.map(({ runId }) => runId),
    )
    const problems = await Promise.all(
      readers.map(async (reader, index) => {
        const whole = await readRun(reader.runId, { pickUrl: () => replicas[index % replicas.length]?.url ?? '' })
        const stored = Object.values(facts.get(reader.runId)?.texts ?? {}).sort()
        return (
          findStreamProblem(reader) ??
          findDifference(reader, whole) ??
          ([...textsOf(reader).values()].sort().join('\n') === stored.join('\n')
            ? undefined
            : 'text differs from the stored')
        )
      }),
    )
    const bad = problems.flatMap((problem, index) =>
      problem === undefined ? [] : [`${readers[index]?.runId}: ${problem}`],
    )
    for (const problem of bad.slice(0, 5)) note(problem)
    const events = readers.reduce((sum, each) => sum + each.events.length, 0)
    report(
      `client cut at ${cuts} random bytes, another replica each time: streams that differ from the whole or have not one end`,
      `${bad.length} of ${RUNS} (${events} events)`,
      `0, ≥ ${CUTS} cuts`,
      bad.length === 0 && cuts >= CUTS,
    )
  } finally {
    await Promise.all(replicas.map((replica) => replica.stop()))
  }
}

/** Where two readings of a run differ; the clock of an event is of the reading. */
function findDifference(one: RunReader, other: RunReader): string | undefined {
  const lines = ({ events }: RunReader): string[] =>
    events.map(({ data: { date: _date, ...data } }) => JSON.stringify(data))
  const [own, whole] = [lines(one), lines(other)]
  const index = own.findIndex((line, at) => line !== whole[at])
  if (index !== -1) return `event ${index}: ${own[index]} instead of ${whole[index]}`
  return own.length === whole.length ? undefined : `${own.length} events instead of ${whole.length}`
}
