import { readdirSync, readFileSync } from 'node:fs'
import { createLogger } from '#platform/logger.ts'
import type { ToolCall, ToolLimits, ToolRunner, ToolRunResult } from '#tools/sandbox/tool-runner.ts'

/** Wide enough that a slow machine does not meet them by chance. */
export const TEST_LIMITS: ToolLimits = {
  wallMs: 50_000,
  cpuSeconds: 40,
  memoryBytes: 256 * 1024 * 1024,
  outputChars: 20_000,
  resultChars: 50_000,
  scratchBytes: 0,
}

export const silentLogger = createLogger({ level: 'silent', format: 'json' })

export const toolCall = (call: Partial<ToolCall> & Pick<ToolCall, 'sourceCode'>): ToolCall => ({
  language: 'typescript',
  functionName: 'tool',
  args: {},
  env: {},
  agentState: null,
  packages: null,
  network: { kind: 'none' },
  limits: TEST_LIMITS,
  ...call,
})

export const runTool = (
  runner: ToolRunner,
  call: Partial<ToolCall> & Pick<ToolCall, 'sourceCode'>,
  signal = new AbortController().signal,
): Promise<ToolRunResult> => runner.run(toolCall({ language: runner.language, ...call }), signal)

/** Ids of this process's own children whose command line has this text. */
export function listChildren(text: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => isChild(pid, text))
}

function isChild(pid: number, text: string): boolean {
  try {
    const parent = /^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
    return Number(parent) === process.pid && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(text)
  } catch {
    // it has ended meanwhile
    return false
  }
}
