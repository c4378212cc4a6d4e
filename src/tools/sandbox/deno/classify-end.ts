import type { ToolFailureKind, ToolLimits } from '#tools/sandbox/tool-runner.ts'
import type { FloodedStream, ProcessEnd } from './deno-process.ts'

export interface Failure {
  kind: ToolFailureKind
  type: string
  message: string
}

/** What V8, Rust and the wasm engine say when they get no memory. */
const MEMORY_WORDS = /out of memory|memory allocation of \d+ bytes failed|Cannot allocate memory|heap limit|OOM/i

export const timeOut = ({ wallMs }: ToolLimits): Failure => ({
  kind: 'time-out',
  type: 'TimeoutError',
  message: `the tool took longer than ${wallMs / 1000} s and was ended`,
})

/** Why a process ended that was not killed by us and has not replied. */
export function classifyEnd({ code, signal }: ProcessEnd, stderr: string, limits: ToolLimits): Failure {
  if (signal === 'SIGXCPU') {
    const message = `the tool used more than ${limits.cpuSeconds} s of processor time and was ended`
    return { kind: 'time-out', type: 'TimeoutError', message }
  }
  // SIGKILL from outside is the system's when memory is short; SIGTRAP and SIGILL are how V8 gives up, mostly on allocations
  if (MEMORY_WORDS.test(stderr) || signal === 'SIGKILL') {
    const mebibytes = Math.floor(limits.memoryBytes / 1024 / 1024)
    return {
      kind: 'memory',
      type: 'MemoryError',
      message: `the tool needed more than ${mebibytes} MiB of memory and was ended`,
    }
  }
  const how = signal === null ? `exit code ${code}` : signal
  const hint = code === 0 ? ': it called exit, or waited for something that never comes' : ''
  return { kind: 'died', type: 'RuntimeError', message: `the tool ended without a result (${how})${hint}` }
}

export const flooded = (stream: FloodedStream): Failure => ({
  kind: 'died',
  type: 'RuntimeError',
  message: `the tool wrote too much to ${stream} and was ended`,
})
