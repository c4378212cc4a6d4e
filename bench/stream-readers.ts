/**
 * Reads many streams at once and says how old each stamped piece of text was when it came. In a process of its own, so that what
 * it costs is not the server's. Its input is one JSON object (`ReaderJob`); prints `ready`, then one JSON line (`ReaderResult`).
 */
import { text } from 'node:stream/consumers'
import { Pool } from 'undici'
import { percentile } from './load.ts'
import type { ReaderJob, ReaderResult } from './replicas/reader-process.ts'
import { clockMicros, stampsIn } from './replicas/task.ts'

const job = JSON.parse(await text(process.stdin)) as ReaderJob
const pool = new Pool(job.origin, { connections: job.requests.length, headersTimeout: 60_000, bodyTimeout: 60_000 })
const ages: number[] = []
let pieces = 0
let ends = 0
let status = 0
let problem: string | undefined
const from = clockMicros() + job.measureAfterMs * 1000

function read({ path, body }: { path: string; body: object }): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  let rest = ''
  const fail = (what: string): void => {
    problem ??= what
    resolve()
  }
  pool.dispatch(
    { path, method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) },
    {
      onRequestStart() {},
      onResponseStart(_controller, code) {
        status = code
      },
      onResponseData(_controller, chunk) {
        const now = clockMicros()
        const received = rest + chunk.toString('latin1')
        if (status !== 200) fail(received.slice(0, 300))
        // an event that is cut in two is counted when the other half is there
        const whole = received.lastIndexOf('\n\n') + 2
        rest = received.slice(whole)
        const events = received.slice(0, whole)
        for (const sentAt of stampsIn(events)) {
          pieces += 1
          if (now >= from) ages.push((now - sentAt) / 1000)
        }
        if (events.includes('data: [DONE]')) ends += 1
      },
      onResponseEnd: () => resolve(),
      onResponseError: (_controller, error) => fail(error.message),
    },
  )
  return promise
}

console.log('ready')
await Promise.all(
  job.requests.map(async (request, index) => {
    await new Promise((resolve) => setTimeout(resolve, (job.rampMs * index) / job.requests.length))
    await read(request)
  }),
)
const result: ReaderResult = {
  pieces,
  ends,
  measured: ages.length,
  p50: percentile(ages, 0.5),
  p99: percentile(ages, 0.99),
  max: ages.reduce((a, b) => Math.max(a, b), 0),
  problem,
}
console.log(JSON.stringify(result))
await pool.destroy()
