import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { createLogger } from '#platform/logger.ts'
import { openDenoRunner } from '#tools/sandbox/deno/open-deno-runner.ts'
import { openPyodideRunner } from '#tools/sandbox/deno/open-pyodide-runner.ts'
import type { ToolCall, ToolLimits, ToolRunner } from '#tools/sandbox/tool-runner.ts'

/**
 * What a call of a tool costs in Deno's sandbox: `node bench/tools-deno.ts [typescript|python]`. Every call has a source of its own, so that nothing is
 * remembered from the one before. Bars on two cores that nobody else uses: TypeScript paced p50 ≤ 15 and p99 ≤ 50 ms, ≥ 60 calls/s;
 * Pyodide paced p50 ≤ 60 and p99 ≤ 150 ms.
 */
export interface RunnerFigures {
  /** The first call of a runner, for which nothing stands by. */
  firstMs: number
  /** Calls with pauses in which processes for the next ones start. */
  paced: Latencies
  /** One after the other without a pause. */
  backToBack: Latencies & { perSecond: number }
  /** As many at once as the machine has cores, twice. */
  concurrent: Latencies & { perSecond: number }
}

export interface Latencies {
  p50Ms: number
  p99Ms: number
}

export const BENCH_LIMITS: ToolLimits = {
  wallMs: 30_000,
  cpuSeconds: 20,
  memoryBytes: 256 * 1024 * 1024,
  outputChars: 10_000,
  resultChars: 10_000,
  scratchBytes: 0,
}

/** A trivial tool, another one for each number. */
const SOURCES = {
  typescript: (index: number) => `export function tool(a: number, b = 1): number { return a + b + ${index} }`,
  python: (index: number) => `def tool(a: int, b: int = 1) -> int:\n    return a + b + ${index}\n`,
}

/** Measures a runner that has not been called yet. `paceMs` is the pause between paced calls: longer than a process takes to start. */
export async function measureRunner(
  runner: ToolRunner,
  { calls, paceMs }: { calls: number; paceMs: number },
): Promise<RunnerFigures> {
  let index = 0
  const one = () => timeCall(runner, ++index)
  const firstMs = await one()
  await sleep(paceMs * 4)
  const paced: number[] = []
  for (let count = 0; count < calls; count += 1) {
    paced.push(await one())
    await sleep(paceMs)
  }
  const backToBack = await measureParallel(one, calls, 1)
  const concurrent = await measureParallel(one, calls, 2 * availableParallelism())
  return { firstMs, paced: toLatencies(paced), backToBack, concurrent }
}

async function measureParallel(one: () => Promise<number>, calls: number, parallel: number) {
  const times: number[] = []
  const began = performance.now()
  let left = calls
  const work = async () => {
    while (left-- > 0) times.push(await one())
  }
  await Promise.all(Array.from({ length: parallel }, work))
  return { ...toLatencies(times), perSecond: (calls * 1000) / (performance.now() - began) }
}

async function timeCall(runner: ToolRunner, index: number): Promise<number> {
  const call: ToolCall = {
    language: runner.language,
    sourceCode: SOURCES[runner.language](index),
    functionName: 'tool',
    args: { a: 1 },
    env: { KEY: 'value' },
    agentState: null,
    packages: null,
    network: { kind: 'none' },
    limits: BENCH_LIMITS,
  }
  const began = performance.now()
  const result = await runner.run(call, new AbortController().signal)
  const took = performance.now() - began
  if (result.status === 'success' && result.text === String(index + 2)) return took
  throw new Error(`the tool did not answer: ${JSON.stringify(result)}`)
}

function toLatencies(times: readonly number[]): Latencies {
  const sorted = times.toSorted((a, b) => a - b)
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
  return { p50Ms: at(0.5), p99Ms: at(0.99) }
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href)
  await main(process.argv[2])

async function main(only: string | undefined): Promise<void> {
  const logger = createLogger({ level: 'warn', format: 'pretty' })
  const options = { logger, maxConcurrent: 16, limits: BENCH_LIMITS, allowsPrivateAddresses: false }
  if (only !== 'python') {
    await using runner = await openDenoRunner(options)
    console.log('TypeScript', await measureRunner(runner, { calls: 200, paceMs: 100 }))
  }
  if (only !== 'typescript') {
    const cacheDir = join(fileURLToPath(new URL('../.cache', import.meta.url)), 'pyodide')
    await using runner = await openPyodideRunner({ ...options, cacheDir })
    console.log('Pyodide', await measureRunner(runner, { calls: 40, paceMs: 1_000 }))
  }
}
