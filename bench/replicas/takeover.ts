import { setTimeout as sleep } from 'node:timers/promises'
import type { Db } from '#store/db.ts'
import { openDatabase } from '#store/open-database.ts'
import { type Replica, startReplicas } from '../../test/support/replicas.ts'
import { percentile } from '../load.ts'
import { createAgents } from './agents.ts'
import type { Bench } from './bench.ts'
import { note, report, seconds } from './report.ts'
import { type ActiveRun, listActiveRuns } from './run-facts.ts'
import { readNewRun } from './run-reader.ts'
import { taskText } from './task.ts'

const KILLS = 20
const RUNS = 6
const TOKEN_MS = 100
/** A run lasts longer than the wait for the kill. */
const TOKENS = 25
const GIVE_UP_MS = 15_000
/** Numbers in the stream that each owner of a run has for itself. */
const SEQS_PER_OWNER = 100_000_000

/**
 * Time from `kill -9` to the lease of the next owner, and to its first event at a client that follows on another replica.
 * Each kill falls at a random moment of the lease.
 */
export async function measureTakeOver({ env, database }: Bench): Promise<void> {
  const replicas = await startReplicas(3, { LOG_LEVEL: 'warn', ...env })
  await using db = await openDatabase({ kind: 'postgres', url: database, poolSize: 2 })
  const toEvent: number[] = []
  const toLease: number[] = []
  const started = new Map<Replica, Promise<void>>()
  try {
    for (let kill = 0; kill < KILLS; kill += 1) {
      const victim = replicas[kill % replicas.length] as Replica
      const other = replicas[(kill + 1) % replicas.length] as Replica
      await started.get(victim)
      const sample = await killOne(db, victim, other, kill)
      toEvent.push(...sample.toEvent)
      toLease.push(...sample.toLease)
      const start = victim.start()
      start.catch(() => {})
      started.set(victim, start)
    }
  } finally {
    await Promise.allSettled(started.values())
    await Promise.all(replicas.map((replica) => replica.stop()))
  }
  note(
    `first event of the next owner, at a client on another replica: p50 ${seconds(percentile(toEvent, 0.5))}, ` +
      `max ${seconds(Math.max(...toEvent))} of ${toEvent.length} runs`,
  )
  const [p50, max] = [percentile(toLease, 0.5), Math.max(...toLease)]
  report(
    `take-over after kill -9, ${KILLS} kills, ${toLease.length} runs`,
    `p50 ${seconds(p50)}, max ${seconds(max)}`,
    'p50 ≤ 3 s, max ≤ 6 s',
    toLease.length >= KILLS * RUNS * 0.9 && toEvent.length === KILLS * RUNS && p50 <= 3000 && max <= 6000,
  )
}

async function killOne(db: Db, victim: Replica, other: Replica, kill: number) {
  const agents = await createAgents(victim.url, RUNS)
  let killedAt = Number.POSITIVE_INFINITY
  const firstEvent = new Map<string, number>()
  const firstOfAll = new Set<string>()
  const readers = agents.map((agentId, index) =>
    readNewRun(agentId, taskText({ key: `kill-${kill}-${index}`, tokens: TOKENS, tokenMs: TOKEN_MS }), {
      pickUrl: (connection) => (connection === 0 ? victim.url : other.url),
      onEvent({ seq, at }, { runId }) {
        firstOfAll.add(runId)
        if (at > killedAt && seq > SEQS_PER_OWNER && !firstEvent.has(runId)) firstEvent.set(runId, at - killedAt)
      },
    }),
  )
  const all = Promise.all(readers)
  all.catch(() => {})
  // all runs are under way, and the kill comes at any moment between two heartbeats
  while (firstOfAll.size < RUNS) await sleep(20)
  await sleep(Math.random() * 1500)
  const before = new Map((await listActiveRuns(db)).map((run) => [run.id, run]))
  killedAt = performance.now()
  await victim.kill()
  const toLease = await watchLeases(db, before, killedAt)
  await all
  return { toLease, toEvent: [...firstEvent.values()] }
}

async function watchLeases(db: Db, before: ReadonlyMap<string, ActiveRun>, killedAt: number): Promise<number[]> {
  const found = new Map<string, number>()
  while (found.size < before.size && performance.now() - killedAt < GIVE_UP_MS) {
    for (const { id, lease_token } of await listActiveRuns(db)) {
      const old = before.get(id)
      if (old !== undefined && lease_token > old.lease_token && !found.has(id))
        found.set(id, performance.now() - killedAt)
    }
    await sleep(20)
  }
  return [...found.values()]
}
