import type { ToolFailureKind, ToolLimits } from '#tools/sandbox/tool-runner.ts'
import type { FloodedStream, ProcessEnd } from './deno-process.ts'

export interface Failure {
  kind: ToolFailureKind
  type: string
  message: string
}

export const CANCELLED: Failure = { kind: 'cancelled', type: 'CancelledError', message: 'The call was cancelled.' }
export const BROKEN: Failure = {
  kind: 'died',
  type: 'BrokenReply',
  message: 'What the code replied was broken, so it was ended.',
}

/** What V8, Rust and the wasm engine say when they get no memory. */
const MEMORY_WORDS = /out of memory|memory allocation of \d+ bytes failed|Cannot allocate memory|heap limit|OOM/i

export const timeOut = ({ wallMs }: ToolLimits): Failure => ({
  kind: 'time-out',
  type: 'TimeoutError',
  message: `The code did not end within ${wallMs / 1000} s.`,
})

/** Why a process ended that was not killed by us and has not replied. */
export function classifyEnd({ code, signal }: ProcessEnd, stderr: string, limits: ToolLimits): Failure {
  if (signal === 'SIGXCPU') {
    const message = `The code used more than ${limits.cpuSeconds} s of CPU time.`
    return { kind: 'time-out', type: 'TimeoutError', message }
  }
  // SIGKILL from outside is the system's when memory is short; SIGTRAP and SIGILL are how V8 gives up, mostly on allocations
  if (MEMORY_WORDS.test(stderr) || signal === 'SIGKILL') {
    const mebibytes = Math.floor(limits.memoryBytes / 1024 / 1024)
    return {
      kind: 'memory',
      type: 'MemoryError',
      message: `The code used more than the ${mebibytes} MiB of memory that it may, so it was ended.`,
    }
  }
  const how = signal === null ? `exit code ${code}` : signal
  const hint = code === 0 ? ': it called exit, or waited for what never comes' : ''
  return { kind: 'died', type: 'RuntimeError', message: `The code ended without a result (${how})${hint}.` }
}

export const flooded = (stream: FloodedStream): Failure => ({
  kind: 'died',
  type: 'RuntimeError',
  message: `The code wrote too much to ${stream}, so it was ended.`,
})
