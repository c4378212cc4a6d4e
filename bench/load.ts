import { Pool } from 'undici'

export interface LoadResult {
  perSecond: number
  /** Milliseconds. */
  p50: number
  p99: number
  count: number
}

export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

/** Sends `body` to `pathOf(client)` from that many clients, each one request at a time. Throws on any answer but 200. */
export async function runLoad(
  origin: string,
  options: { clients: number; requests: number; pathOf: (client: number) => string; body: object },
): Promise<LoadResult> {
  const pool = new Pool(origin, { connections: options.clients, headersTimeout: 120_000 })
  const body = JSON.stringify(options.body)
  const latencies: number[] = []
  let left = options.requests
  const startedAt = performance.now()
  await Promise.all(
    Array.from({ length: options.clients }, async (_, client) => {
      while (left > 0) {
        left -= 1
        const sentAt = performance.now()
        const response = await pool.request({
          method: 'POST',
          path: options.pathOf(client),
          headers: { 'content-type': 'application/json' },
          body,
        })
        const text = await response.body.text()
        if (response.statusCode !== 200) throw new Error(`${response.statusCode}: ${text.slice(0, 500)}`)
        latencies.push(performance.now() - sentAt)
      }
    }),
  )
  const seconds = (performance.now() - startedAt) / 1000
  await pool.close()
  return {
    perSecond: latencies.length / seconds,
    p50: percentile(latencies, 0.5),
    p99: percentile(latencies, 0.99),
    count: latencies.length,
  }
}
