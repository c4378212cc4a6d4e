import { createLogger } from '#platform/logger.ts'
import { openCpythonRunner } from '#tools/sandbox/python/open-cpython-runner.ts'
import type { ToolCall, ToolRunner } from '#tools/sandbox/tool-runner.ts'
import { percentile } from './load.ts'

const SEQUENTIAL_CALLS = 300
const WARM_CALLS = 30
const LOAD_MS = 4000
const LOAD_CALLERS = 8
const MIB = 1024 * 1024

/** A tool that does next to nothing, so that what is measured is the sandbox. */
export const TRIVIAL_PYTHON_CALL: ToolCall = {
  language: 'python',
  sourceCode: 'def add(a: int, b: int) -> int:\n    """Adds."""\n    return a + b\n',
  functionName: 'add',
  args: { a: 1, b: 2 },
  env: { KEY: 'value' },
  agentState: null,
  packages: null,
  network: { kind: 'none' },
  limits: {
    wallMs: 30_000,
    cpuSeconds: 10,
    memoryBytes: 128 * MIB,
    outputChars: 10_000,
    resultChars: 10_000,
    scratchBytes: 16 * MIB,
  },
}

export interface RunnerFigures {
  p50Ms: number
  p99Ms: number
  /** With eight callers at once. */
  callsPerSecond: number
}

/** Latency of one call after the other, then throughput of several callers. Throws where a call does not succeed. */
export async function measureToolRunner(runner: ToolRunner, call: ToolCall): Promise<RunnerFigures> {
  const { signal } = new AbortController()
  const runOnce = async () => {
    const result = await runner.run(call, signal)
    if (result.status !== 'success') throw new Error(`${result.type}: ${result.message}`)
  }
  for (let i = 0; i < WARM_CALLS; i++) await runOnce()
  const times: number[] = []
  for (let i = 0; i < SEQUENTIAL_CALLS; i++) {
    const start = performance.now()
    await runOnce()
    times.push(performance.now() - start)
  }
  let count = 0
  const start = performance.now()
  const caller = async () => {
    while (performance.now() - start < LOAD_MS) {
      await runOnce()
      count += 1
    }
  }
  await Promise.all(Array.from({ length: LOAD_CALLERS }, caller))
  const seconds = (performance.now() - start) / 1000
  return { p50Ms: percentile(times, 0.5), p99Ms: percentile(times, 0.99), callsPerSecond: count / seconds }
}

/** `node bench/tools-python.ts`: the figures of CPython against their bars. */
if (import.meta.main) {
  await using runner = await openCpythonRunner({
    logger: createLogger({ level: 'warn', format: 'json' }),
    maxConcurrent: LOAD_CALLERS,
    allowsPrivateAddresses: false,
  })
  const { p50Ms, p99Ms, callsPerSecond } = await measureToolRunner(runner, TRIVIAL_PYTHON_CALL)
  console.log(
    `p50 ${p50Ms.toFixed(1)} ms (bar 8), p99 ${p99Ms.toFixed(1)} ms (bar 30), ${callsPerSecond.toFixed(0)} calls/s (bar 200)`,
  )
}
