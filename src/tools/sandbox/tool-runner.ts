/** The one contract of everything that executes code which is not the server's: drivers here, runner pods or services elsewhere. */

export type ToolLanguage = 'python' | 'typescript'

/** What a call may use at most; beyond it the call ends with an error, and nothing of it is left. */
export interface ToolLimits {
  /** From the call to its end. */
  wallMs: number
  cpuSeconds: number
  /** Beyond what the interpreter itself takes. */
  memoryBytes: number
  /** Of stdout and of stderr, each; what comes after is dropped with a note. */
  outputChars: number
  /** Of the value as text; what comes after is dropped and counted. */
  resultChars: number
  /** All files that the call has written, together. */
  scratchBytes: number
}

/** A host that code may connect to, and on which port; `*.example.org` is every name below it. */
export interface HostRule {
  host: string
  /** Null is any. */
  port: number | null
}

/** Addresses behind the server (private, loopback, link-local, metadata) are never reached, unless the operator allows them. */
export type NetworkPolicy = { kind: 'none' } | { kind: 'public' } | { kind: 'hosts'; hosts: readonly HostRule[] }

/** What a tool sees as `agent_state`. What it makes of the blocks' values comes back in `ToolRunResult.blocks`. */
export interface AgentStateView {
  id: string
  name: string
  description: string | null
  blocks: readonly { id: string; label: string; value: string; description: string | null; limit: number }[]
}

export interface ToolCall {
  language: ToolLanguage
  sourceCode: string
  /** The function to call; null runs the source as a program, whose value is that of its last expression. */
  functionName: string | null
  /** JSON values. */
  args: Readonly<Record<string, unknown>>
  /** The whole environment of the code: nothing else is in it. Goes to the code alone, never on a command line. */
  env: Readonly<Record<string, string>>
  /** For functions that have a parameter `agent_state`. */
  agentState: AgentStateView | null
  /** Absolute path of a folder with installed packages, read-only for the code; null where the tool needs none. */
  packages: string | null
  network: NetworkPolicy
  limits: ToolLimits
}

/** Why a call gave no value. */
export type ToolFailureKind =
  /** The code raised; `type` is the class of what it raised. */
  | 'exception'
  /** Too long, by wall clock or CPU. */
  | 'time-out'
  | 'memory'
  /** It ended without a result: `exit()`, a crash, a broken reply. */
  | 'died'
  | 'cancelled'

export interface ToolOutput {
  /** Lines without their ends. */
  stdout: string[]
  stderr: string[]
}

export type ToolRunResult = ToolOutput &
  (
    | {
        status: 'success'
        /** The value as text, at most `resultChars` of it: strings as they are, containers as JSON, the rest as Python or JavaScript prints it. */
        text: string
        /** Characters of the whole value, before it was cut. */
        textLength: number
        /** Values of the blocks that the code changed, by label. */
        blocks: Readonly<Record<string, string>>
      }
    | {
        status: 'error'
        kind: ToolFailureKind
        /** `ValueError`, `TypeError`, `TimeoutError`, `MemoryError`… */
        type: string
        message: string
      }
  )

/** How code is contained: `cpython` by the kernel (Landlock, seccomp, rlimits), the others by Deno's permissions and rlimits. */
export type SandboxLevel = 'cpython' | 'pyodide' | 'deno'

export interface ToolRunner extends AsyncDisposable {
  readonly level: SandboxLevel
  readonly language: ToolLanguage
  /**
   * Runs code once, in a process of its own that is gone when this returns. Failures of the code are results; throws
   * SandboxUnavailable where the layers of the sandbox cannot be established: then nothing was run.
   */
  run(call: ToolCall, signal: AbortSignal): Promise<ToolRunResult>
}

/** A sandbox cannot be had; the message says which layer is missing and what to do. */
export class SandboxUnavailable extends Error {}
