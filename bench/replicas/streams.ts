import { setTimeout as sleep } from 'node:timers/promises'
import { createAgents } from './agents.ts'
import type { Bench } from './bench.ts'
import { cpuMsOf, type ModelPlace, startMeasuredServer } from './measured-server.ts'
import { type ReaderResult, readStreams } from './reader-process.ts'
import { ms, note, report } from './report.ts'
import { taskText } from './task.ts'

const STREAMS = Number(process.env.BENCH_STREAMS ?? 1000)
const TOKEN_MS = 50
const RAMP_MS = 5000
const MEASURE_MS = 10_000
const TOKENS = (RAMP_MS + MEASURE_MS) / TOKEN_MS

const task = (key: string): string => taskText({ key, tokens: TOKENS, tokenMs: TOKEN_MS, isStamped: true })

/** What a replica adds to the pieces of text of many streams: their age at the client, against the same without the replica. */
export async function measureStreams(bench: Bench): Promise<void> {
  const floor = await measureFloor(bench)
  note(`provider to client without a replica: ${describe(floor)}`)
  const own = await measureThrough(bench, 'in-process')
  note(`with the model in the server's process: ${describe(own.ages)}; ${describeServer(own)}`)
  const { ages, reading, eventCpuMs } = await measureThrough(bench, 'http')
  note(`through the replica: ${describe(ages)}; ${describeServer({ reading, eventCpuMs })}`)
  const added = ages.p99 - floor.p99
  const what = `${STREAMS} streams at ${1000 / TOKEN_MS} events/s on one replica`
  report(
    `${what}, added latency p99`,
    `${ms(added)} (${ms(ages.p99)} against ${ms(floor.p99)})`,
    '≤ 50 ms',
    added <= 50,
  )
  const { loopDelayP99Ms, maxRssMegabytes } = reading
  report(`${what}, event-loop delay p99`, ms(loopDelayP99Ms), '≤ 50 ms', loopDelayP99Ms <= 50)
  report(`${what}, resident memory`, `${maxRssMegabytes.toFixed(0)} MB`, '≤ 400 MB', maxRssMegabytes <= 400)
}

const describe = ({ p50, p99, max, measured }: ReaderResult): string =>
  `age p50 ${ms(p50)}, p99 ${ms(p99)}, max ${ms(max)} of ${measured} events`

function describeServer({ reading, eventCpuMs }: Omit<Awaited<ReturnType<typeof measureThrough>>, 'ages'>): string {
  return (
    `event-loop delay p50 ${ms(reading.loopDelayP50Ms)}, p99 ${ms(reading.loopDelayP99Ms)}, loop busy ${(reading.loopUtilization * 100).toFixed(0)} %, ` +
    `${(eventCpuMs * 1000).toFixed(0)} µs of processor time an event, ${reading.maxRssMegabytes.toFixed(0)} MB`
  )
}

function check(result: ReaderResult): ReaderResult {
  const { pieces, ends } = result
  if (pieces !== STREAMS * TOKENS || ends !== STREAMS) {
    throw new Error(`${pieces} of ${STREAMS * TOKENS} pieces came, and ${ends} of ${STREAMS} ends`)
  }
  return result
}

async function measureFloor({ provider }: Bench): Promise<ReaderResult> {
  const requests = Array.from({ length: STREAMS }, (_, index) => ({
    path: '/v1/chat/completions',
    body: { model: 'gpt-4o-mini', stream: true, messages: [{ role: 'user', content: task(`floor-${index}`) }] },
  }))
  const job = { origin: new URL(provider.url).origin, requests, rampMs: RAMP_MS, measureAfterMs: RAMP_MS }
  return check(await readStreams(job))
}

async function measureThrough({ env, folder, provider }: Bench, model: ModelPlace) {
  const server = await startMeasuredServer(env, folder, { model })
  try {
    const agents = await createAgents(server.url, STREAMS)
    const requests = agents.map((agentId) => ({
      path: `/v1/agents/${agentId}/messages/stream`,
      body: { input: task(agentId), stream_tokens: true, include_pings: false },
    }))
    const reading = readStreams({ origin: server.url, requests, rampMs: RAMP_MS, measureAfterMs: RAMP_MS })
    reading.catch(() => {})
    // how the server is while all streams run
    await sleep(RAMP_MS + 500)
    await server.read()
    const providerBefore = await cpuMsOf(provider.pid)
    await sleep(MEASURE_MS - 3000)
    const during = await server.read()
    const providerCpuMs = (await cpuMsOf(provider.pid)) - providerBefore
    if (model === 'http')
      note(`the provider used ${((providerCpuMs / (MEASURE_MS - 3000)) * 100).toFixed(0)} % of a core`)
    const ages = check(await reading)
    const events = (STREAMS * (MEASURE_MS - 3000)) / TOKEN_MS
    return { ages, reading: during, eventCpuMs: during.cpuMs / events }
  } finally {
    await server.stop()
  }
}
