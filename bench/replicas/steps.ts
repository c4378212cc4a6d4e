import { openDatabase } from '#store/open-database.ts'
import { percentile, runLoad } from '../load.ts'
import { createAgents } from './agents.ts'
import type { Bench } from './bench.ts'
import { databaseCpuMs } from './database-cpu.ts'
import { cpuMsOf, type ModelPlace, startMeasuredServer } from './measured-server.ts'
import { note, report } from './report.ts'
import { taskText } from './task.ts'

const AGENTS = 32
const STEPS = 20
const RUNS = 64
const ROUNDS = 2

/** Durable steps per second of one replica: runs of many steps, each with a memory tool, of a provider that answers at once. */
export async function measureSteps(bench: Bench): Promise<void> {
  // without the wire to the provider first: the server's own share
  for (const model of ['in-process', 'http'] as const) {
    const { perSecond, cpuMs, rounds } = await measure(bench, model)
    const { server, postgres, provider } = cpuMs
    const figures =
      `${perSecond.toFixed(0)} (rounds ${rounds.map((round) => round.toFixed(0)).join(', ')}; processor time of a step: ` +
      `server ${server.toFixed(2)}, PostgreSQL ${postgres.toFixed(2)}, provider ${provider.toFixed(2)} ms)`
    if (model === 'in-process') note(`durable steps per second, model in the server's process: ${figures}`)
    else report('durable steps per second, one replica, HTTP provider', figures, '≥ 500', perSecond >= 500)
  }
}

async function measure({ env, folder, database, provider }: Bench, model: ModelPlace) {
  await using db = await openDatabase({ kind: 'postgres', url: database, poolSize: 1 })
  const server = await startMeasuredServer(env, folder, { model })
  try {
    const rounds: number[] = []
    const cpuMs = { server: 0, postgres: 0, provider: 0 }
    const steps = ROUNDS * RUNS * STEPS
    for (let round = 0; round <= ROUNDS; round += 1) {
      const agents = await createAgents(server.url, AGENTS)
      await server.read()
      const before = { postgres: await databaseCpuMs(db), provider: await cpuMsOf(provider.pid) }
      const { perSecond } = await runLoad(server.url, {
        clients: AGENTS,
        requests: RUNS,
        pathOf: (client) => `/v1/agents/${agents[client]}/messages`,
        body: { input: taskText({ key: `steps-${round}`, steps: STEPS }) },
      })
      const reading = await server.read()
      // the first round warms up
      if (round === 0) continue
      rounds.push(perSecond * STEPS)
      cpuMs.server += reading.cpuMs / steps
      cpuMs.postgres += ((await databaseCpuMs(db)) - before.postgres) / steps
      cpuMs.provider += ((await cpuMsOf(provider.pid)) - before.provider) / steps
    }
    return { rounds, perSecond: percentile(rounds, 0.5), cpuMs }
  } finally {
    await server.stop()
  }
}
