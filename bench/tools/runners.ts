import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { loadConfig } from '#config/config.ts'
import { errorMessage } from '#platform/errors.ts'
import { createLogger } from '#platform/logger.ts'
import { openSandbox, toolLimits } from '#tools/sandbox/open-sandbox.ts'
import type { Sandbox } from '#tools/sandbox/sandbox.ts'
import type { SandboxLevel, ToolCall } from '#tools/sandbox/tool-runner.ts'
import { percentile } from '../load.ts'
import { note, report } from '../replicas/report.ts'

interface Bar {
  level: SandboxLevel
  p50Ms: number
  p99Ms: number
  perSecond?: number
  calls: number
  /** Between two calls, so that a process stands by for each, as between two steps of an agent. */
  pauseMs: number
}

/** Issue 5's bars. */
const BARS: readonly Bar[] = [
  { level: 'cpython', p50Ms: 8, p99Ms: 30, perSecond: 200, calls: 300, pauseMs: 5 },
  { level: 'deno', p50Ms: 15, p99Ms: 50, perSecond: 60, calls: 200, pauseMs: 60 },
  { level: 'pyodide', p50Ms: 60, p99Ms: 150, calls: 40, pauseMs: 1_000 },
]
const WARM_UP = 10
const LOAD_CLIENTS = 8
const LOAD_CALLS = 600

const SOURCES = {
  python: 'def trivial(a: int) -> int:\n    """Adds one."""\n    return a + 1\n',
  typescript: '/** Adds one. */\nexport function trivial(a: number): number { return a + 1 }\n',
}

/** Time of a trivial tool in a fresh process, and how many of them a second, for each level that this machine has. */
export async function measureRunners(): Promise<void> {
  for (const bar of BARS) {
    try {
      await measureLevel(bar)
    } catch (error) {
      report(`trivial tool, ${bar.level}`, errorMessage(error), 'runs', false)
    }
  }
}

async function measureLevel({ level, p50Ms, p99Ms, perSecond, calls, pauseMs }: Bar): Promise<void> {
  await using sandbox = openLevel(level)
  for (let index = 0; index < WARM_UP; index += 1) await callOnce(sandbox, level, index)
  const times: number[] = []
  for (let index = 0; index < calls; index += 1) {
    await sleep(pauseMs)
    times.push(await callOnce(sandbox, level, index))
  }
  const [p50, p99] = [percentile(times, 0.5), percentile(times, 0.99)]
  report(
    `trivial tool in a fresh process, ${level}, p50 / p99`,
    `${p50.toFixed(1)} / ${p99.toFixed(1)} ms`,
    `≤ ${p50Ms} / ${p99Ms} ms`,
    p50 <= p50Ms && p99 <= p99Ms,
  )
  const count = level === 'pyodide' ? LOAD_CALLS / 10 : LOAD_CALLS
  const rate = await measureRate(sandbox, level, count)
  if (perSecond === undefined) note(`calls a second, ${level}: ${rate.toFixed(1)} (no bar)`)
  else report(`calls a second, ${level}`, rate.toFixed(0), `≥ ${perSecond}`, rate >= perSecond)
}

function openLevel(level: SandboxLevel): Sandbox {
  const config = loadConfig({ env: { PERDURE_CACHE_DIR: join(tmpdir(), 'perdure-bench-cache') } })
  const pythonSandbox = level === 'deno' ? 'off' : level
  return openSandbox({ ...config, pythonSandbox }, createLogger({ level: 'silent', format: 'json' }))
}

async function callOnce(sandbox: Sandbox, level: SandboxLevel, index: number): Promise<number> {
  const language = level === 'deno' ? 'typescript' : 'python'
  const call: ToolCall = {
    language,
    // another source each time
    sourceCode: `${SOURCES[language]}${language === 'python' ? '#' : '//'} ${index}`,
    functionName: 'trivial',
    args: { a: index },
    env: {},
    agentState: null,
    packages: null,
    network: { kind: 'none' },
    limits: { ...toolLimits(loadConfig({ env: {} })), resultChars: 50_000 },
  }
  const startedAt = performance.now()
  const result = await sandbox.run(call, new AbortController().signal)
  const time = performance.now() - startedAt
  if (result.status === 'error' || result.text !== String(index + 1)) throw new Error(JSON.stringify(result))
  return time
}

async function measureRate(sandbox: Sandbox, level: SandboxLevel, count: number): Promise<number> {
  let left = count
  const startedAt = performance.now()
  await Promise.all(
    Array.from({ length: LOAD_CLIENTS }, async () => {
      while (left > 0) {
        left -= 1
        await callOnce(sandbox, level, left)
      }
    }),
  )
  return count / ((performance.now() - startedAt) / 1000)
}
