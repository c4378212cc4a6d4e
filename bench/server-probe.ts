/**
 * Loaded with `--import` into a server that is measured. On SIGUSR2 it writes to the file of BENCH_PROBE_FILE what has been since
 * the last one, and begins anew. Costs the server a timer of 10 ms.
 */
import { writeFileSync } from 'node:fs'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import pg from 'pg'
import type { ProbeReading } from './replicas/probe.ts'

const RESOLUTION_MS = 10
const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
delay.enable()

let maxRss = 0
let longestHeldMs = 0
let maxHeld = 0
let cpu = process.cpuUsage()
let utilization = performance.eventLoopUtilization()
setInterval(() => {
  maxRss = Math.max(maxRss, process.memoryUsage.rss())
}, 100).unref()

// connections of the pools of `pg`, and how long each is in somebody's hand
const known = new WeakSet<object>()
const heldSince = new Map<object, number>()
function watchPool(pool: pg.Pool): void {
  if (known.has(pool)) return
  known.add(pool)
  pool.on('acquire', (client) => {
    heldSince.set(client, performance.now())
    maxHeld = Math.max(maxHeld, heldSince.size)
  })
  pool.on('release', (_error, client) => {
    const since = heldSince.get(client)
    heldSince.delete(client)
    if (since !== undefined) longestHeldMs = Math.max(longestHeldMs, performance.now() - since)
  })
}
const connect = pg.Pool.prototype.connect as (this: pg.Pool, ...args: unknown[]) => unknown
pg.Pool.prototype.connect = function (this: pg.Pool, ...args: unknown[]) {
  watchPool(this)
  return connect.apply(this, args)
} as typeof pg.Pool.prototype.connect

process.on('SIGUSR2', () => {
  const now = performance.now()
  const used = process.cpuUsage(cpu)
  const inHand = [...heldSince.values()].map((since) => now - since)
  const toMs = (nanoseconds: number): number => nanoseconds / 1e6
  const reading: ProbeReading = {
    // the histogram counts the whole pause between two looks
    loopDelayP50Ms: Math.max(0, toMs(delay.percentile(50)) - RESOLUTION_MS),
    loopDelayP99Ms: Math.max(0, toMs(delay.percentile(99)) - RESOLUTION_MS),
    loopDelayMaxMs: Math.max(0, toMs(delay.max) - RESOLUTION_MS),
    loopUtilization: performance.eventLoopUtilization(utilization).utilization,
    cpuMs: (used.user + used.system) / 1000,
    maxRssMegabytes: Math.max(maxRss, process.memoryUsage.rss()) / 1024 / 1024,
    heapMegabytes: process.memoryUsage().heapUsed / 1024 / 1024,
    connectionsHeld: inHand.length,
    maxConnectionsHeld: maxHeld,
    longestHeldMs: Math.max(longestHeldMs, ...inHand),
  }
  delay.reset()
  maxRss = 0
  longestHeldMs = 0
  maxHeld = heldSince.size
  cpu = process.cpuUsage()
  utilization = performance.eventLoopUtilization()
  writeFileSync(process.env.BENCH_PROBE_FILE ?? '', `${JSON.stringify(reading)}\n`)
})
