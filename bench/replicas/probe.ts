import { readFile, rm } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'

/** What a server with the probe says of itself: of the time since the last reading. */
export interface ProbeReading {
  loopDelayP50Ms: number
  loopDelayP99Ms: number
  loopDelayMaxMs: number
  /** Share of the time in which the event loop was busy. */
  loopUtilization: number
  cpuMs: number
  maxRssMegabytes: number
  heapMegabytes: number
  /** Connections of the database's pool that are in somebody's hand. */
  connectionsHeld: number
  maxConnectionsHeld: number
  longestHeldMs: number
}

const ANSWER_MS = 10_000

/** Asks the probe in a process, which writes to `file`. Throws when it does not answer. */
export async function readProbe(pid: number, file: string): Promise<ProbeReading> {
  await rm(file, { force: true })
  process.kill(pid, 'SIGUSR2')
  const deadline = performance.now() + ANSWER_MS
  while (performance.now() < deadline) {
    const text = await readFile(file, 'utf8').catch(() => '')
    if (text.endsWith('\n')) return JSON.parse(text) as ProbeReading
    await sleep(10)
  }
  throw new Error(`the probe of process ${pid} did not answer in ${ANSWER_MS} ms`)
}
