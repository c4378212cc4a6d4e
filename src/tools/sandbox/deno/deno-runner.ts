import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import type { Logger } from '#platform/logger.ts'
import {
  type SandboxLevel,
  SandboxUnavailable,
  type ToolCall,
  type ToolLanguage,
  type ToolLimits,
  type ToolRunner,
  type ToolRunResult,
} from '#tools/sandbox/tool-runner.ts'
import { buildDenoLaunch, type DenoLaunchOptions } from './deno-launch.ts'
import { FetchBroker } from './fetch-broker.ts'
import { runCall } from './run-call.ts'
import { SELF_TEST } from './self-test.ts'
import { StandbyPool } from './standby-pool.ts'
import { Turnstile } from './turnstile.ts'

export interface DenoRunnerOptions {
  logger: Logger
  /** Calls at once; further ones wait for their turn. */
  maxConcurrent: number
  /** Processes that wait for a call; the number of cores, at least two, otherwise. */
  standbys?: number
  /** How long they wait without any call: 5 minutes otherwise. */
  idleMs?: number
  /** Those of the self-test, and of the calls for which processes stand by before they are first asked for. */
  limits: ToolLimits
  /** True lets tools connect to addresses that are not on the public internet. */
  allowsPrivate: boolean
}

/** What differs between the languages. */
export interface DenoLanguage {
  level: SandboxLevel
  language: ToolLanguage
  script: string
  readable: readonly string[]
  startCpuSeconds: number
  /** The source as the runner inside of Deno takes it; or the failure of a source that cannot be run. */
  prepare(call: ToolCall): Promise<{ source: string } | { failure: ToolRunResult }>
  dispose?(): Promise<void>
}

const IDLE_MS = 5 * 60_000
const SELF_TEST_MS = 20_000

/** Runs each call in a Deno process of its own that was started before it. */
export class DenoRunner implements ToolRunner {
  readonly level: SandboxLevel
  readonly language: ToolLanguage
  readonly #launch: Omit<DenoLaunchOptions, 'limits' | 'packages'>
  readonly #language: DenoLanguage
  readonly #pool: StandbyPool
  readonly #turnstile: Turnstile
  readonly #broker: FetchBroker
  readonly #running = new Set<Promise<unknown>>()
  readonly #closing = new AbortController()

  constructor(binary: string, language: DenoLanguage, options: DenoRunnerOptions, baselineBytes: number | null) {
    const { level, script, readable, startCpuSeconds } = language
    this.level = level
    this.language = language.language
    this.#launch = { binary, script, readable, startCpuSeconds, baselineBytes }
    this.#language = language
    const size = options.standbys ?? Math.max(2, availableParallelism())
    this.#pool = new StandbyPool({ size, idleMs: options.idleMs ?? IDLE_MS })
    this.#turnstile = new Turnstile(options.maxConcurrent)
    this.#broker = new FetchBroker({ allowsPrivate: options.allowsPrivate })
  }

  async run(call: ToolCall, signal: AbortSignal): Promise<ToolRunResult> {
    const both = AbortSignal.any([signal, this.#closing.signal])
    let leave: () => void
    try {
      leave = await this.#turnstile.enter(both)
    } catch {
      return cancelled()
    }
    const work = this.#run(call, both)
    this.#running.add(work)
    try {
      return await work
    } finally {
      this.#running.delete(work)
      leave()
    }
  }

  /** Ends what runs and what stands by; calls under way end as cancelled. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort()
    await Promise.allSettled(this.#running)
    await this.#pool[Symbol.asyncDispose]()
    await this.#broker[Symbol.asyncDispose]()
    await this.#language.dispose?.()
  }

  async #run(call: ToolCall, signal: AbortSignal): Promise<ToolRunResult> {
    const prepared = await this.#language.prepare(call)
    if ('failure' in prepared) return prepared.failure
    if (signal.aborted) return cancelled()
    const launch = buildDenoLaunch({ ...this.#launch, limits: call.limits, packages: call.packages })
    const process = await this.#pool.take(launch)
    try {
      return await runCall(process, { call, source: prepared.source, broker: this.#broker }, signal)
    } finally {
      this.#pool.refill(launch)
    }
  }
}

/**
 * Starts Deno once, measures what it takes before it does anything, and tries what must be refused. Throws SandboxUnavailable when
 * something succeeds that must not, or nothing starts. Nothing goes on running.
 */
export async function openRunner(
  binary: string,
  language: DenoLanguage,
  options: DenoRunnerOptions,
): Promise<DenoRunner> {
  const baselineBytes = await measureBaseline(binary, language, options.limits)
  if (baselineBytes === null) {
    options.logger.warn(
      `The memory of ${language.language} tools is not limited on ${process.platform}: use Linux where tools are not trusted.`,
    )
  }
  return new DenoRunner(binary, language, options, baselineBytes)
}

/** Bytes of data of a process that waits for its call; null where the system does not tell. */
async function measureBaseline(binary: string, language: DenoLanguage, limits: ToolLimits): Promise<number | null> {
  await using pool = new StandbyPool({ size: 0, idleMs: IDLE_MS })
  const process = await pool.take(buildDenoLaunch({ binary, ...language, packages: null, baselineBytes: null, limits }))
  try {
    const kibibytes = /^VmData:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${process.pid}/status`, 'utf8'))?.[1]
    return kibibytes === undefined ? null : Number(kibibytes) * 1024
  } catch {
    return null
  } finally {
    await process.kill()
  }
}

/** Throws SandboxUnavailable, naming what is not refused. */
export async function testSandbox(runner: ToolRunner, limits: ToolLimits): Promise<void> {
  const result = await runner.run(selfTestCall(limits), AbortSignal.timeout(SELF_TEST_MS))
  if (result.status === 'success' && result.text === '[]') return
  const found = result.status === 'success' ? `these succeeded: ${result.text}` : `${result.type}: ${result.message}`
  throw new SandboxUnavailable(
    `the sandbox of Deno was tried out and does not hold (${found}), so no tool is run in it. Install the version of Deno that this server brings, unchanged.`,
  )
}

const selfTestCall = (limits: ToolLimits): ToolCall => ({
  language: 'typescript',
  sourceCode: SELF_TEST,
  functionName: 'selfTest',
  args: {},
  env: {},
  agentState: null,
  packages: null,
  network: { kind: 'none' },
  limits: { ...limits, wallMs: SELF_TEST_MS },
})

const cancelled = (): ToolRunResult => ({
  status: 'error',
  kind: 'cancelled',
  type: 'CancelledError',
  message: 'the call was cancelled',
  stdout: [],
  stderr: [],
})
