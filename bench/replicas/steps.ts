import { percentile, runLoad } from '../load.ts'
import { createAgents } from './agents.ts'
import type { Bench } from './bench.ts'
import { type ModelPlace, startMeasuredServer } from './measured-server.ts'
import { note, report } from './report.ts'
import { taskText } from './task.ts'

const AGENTS = 32
const STEPS = 20
const RUNS = 96
const ROUNDS = 3

/** Durable steps per second of one replica: runs of many steps, each with a memory tool, of a provider that answers at once. */
export async function measureSteps(bench: Bench): Promise<void> {
  // without the wire to the provider first: the server's own share
  for (const model of ['in-process', 'http'] as const) {
    const { perSecond, cpuMs, rounds } = await measure(bench, model)
    const figures = `${perSecond.toFixed(0)} (rounds ${rounds.map((round) => round.toFixed(0)).join(', ')}; ${cpuMs.toFixed(2)} ms of the server's processor time a step)`
    if (model === 'in-process') note(`durable steps per second, model in the server's process: ${figures}`)
    else report('durable steps per second, one replica, HTTP provider', figures, '≥ 500', perSecond >= 500)
  }
}

async function measure({ env, folder }: Bench, model: ModelPlace) {
  const server = await startMeasuredServer(env, folder, { model })
  try {
    const rounds: number[] = []
    let cpuMs = 0
    for (let round = 0; round <= ROUNDS; round += 1) {
      const agents = await createAgents(server.url, AGENTS)
      await server.read()
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
      cpuMs += reading.cpuMs
    }
    return { rounds, perSecond: percentile(rounds, 0.5), cpuMs: cpuMs / (ROUNDS * RUNS * STEPS) }
  } finally {
    await server.stop()
  }
}
