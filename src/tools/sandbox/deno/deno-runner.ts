import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import type { Resolve } from '#platform/guarded-lookup.ts'
import type { Logger } from '#platform/logger.ts'
import type {
  SandboxLevel,
  ToolCall,
  ToolLanguage,
  ToolLimits,
  ToolRunner,
  ToolRunResult,
} from '#tools/sandbox/tool-runner.ts'
import { WaitingLine } from '#tools/sandbox/waiting-line.ts'
import { checkPackages } from './check-packages.ts'
import { CANCELLED } from './classify-end.ts'
import { buildDenoLaunch, type DenoLaunchOptions } from './deno-launch.ts'
import { FetchBroker } from './fetch-broker.ts'
import { runCall } from './run-call.ts'
import { StandbyPool } from './standby-pool.ts'

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
  allowsPrivateAddresses: boolean
  /** Instead of the system's resolver. */
  resolveHost?: Resolve | undefined
}

/** What differs between the languages. */
export interface DenoLanguage {
  level: SandboxLevel
  language: ToolLanguage
  script: string
  scriptArgs: readonly string[]
  readable: readonly string[]
  startCpuSeconds: number
  /** The source as the runner inside of Deno takes it; or the failure of a source that cannot be run. */
  prepare(call: ToolCall): Promise<{ source: string } | { failure: ToolRunResult }>
  dispose?(): Promise<void>
}

const IDLE_MS = 5 * 60_000

/** Runs each call in a Deno process of its own that was started before it. */
export class DenoRunner implements ToolRunner {
  readonly level: SandboxLevel
  readonly language: ToolLanguage
  readonly #launch: Omit<DenoLaunchOptions, 'limits' | 'packages'>
  readonly #language: DenoLanguage
  readonly #pool: StandbyPool
  readonly #line: WaitingLine
  readonly #broker: FetchBroker
  readonly #running = new Set<Promise<unknown>>()
  readonly #closing = new AbortController()
  readonly #packages = new Map<string, Promise<string>>()

  constructor(binary: string, language: DenoLanguage, options: DenoRunnerOptions, baselineBytes: number | null) {
    const { level, script, scriptArgs, readable, startCpuSeconds } = language
    this.level = level
    this.language = language.language
    this.#launch = { binary, script, scriptArgs, readable, startCpuSeconds, baselineBytes }
    this.#language = language
    const size = options.standbys ?? Math.max(2, availableParallelism())
    this.#pool = new StandbyPool({ size, idleMs: options.idleMs ?? IDLE_MS })
    this.#line = new WaitingLine(options.maxConcurrent)
    this.#broker = new FetchBroker({ allowsPrivate: options.allowsPrivateAddresses, resolve: options.resolveHost })
  }

  async run(call: ToolCall, signal: AbortSignal): Promise<ToolRunResult> {
    const both = AbortSignal.any([signal, this.#closing.signal])
    if (!(await this.#line.enter(both))) return cancelled()
    const work = this.#run(call, both)
    this.#running.add(work)
    try {
      return await work
    } finally {
      this.#running.delete(work)
      this.#line.leave()
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

  /** Looked through once: what is installed is not changed. */
  #checkPackages(folder: string): Promise<string> {
    const checked = this.#packages.get(folder) ?? checkPackages(folder)
    this.#packages.set(folder, checked)
    checked.catch(() => this.#packages.delete(folder))
    return checked
  }

  async #run(call: ToolCall, signal: AbortSignal): Promise<ToolRunResult> {
    const prepared = await this.#language.prepare(call)
    if ('failure' in prepared) return prepared.failure
    if (signal.aborted) return cancelled()
    const packages = call.packages === null ? null : await this.#checkPackages(call.packages)
    const launch = buildDenoLaunch({ ...this.#launch, limits: call.limits, packages })
    const process = await this.#pool.take(launch)
    try {
      return await runCall(
        process,
        { call: { ...call, packages }, source: prepared.source, broker: this.#broker },
        signal,
      )
    } finally {
      this.#pool.refill(launch)
    }
  }
}

/**
 * Bytes of data of a process that waits for its call, to which the memory of a call is added; null, with a warning, where the system does not tell.
 * Starts Deno once; throws SandboxUnavailable when it does not start.
 */
export async function measureBaseline(
  binary: string,
  language: DenoLanguage,
  { limits, logger }: DenoRunnerOptions,
): Promise<number | null> {
  await using pool = new StandbyPool({ size: 0, idleMs: IDLE_MS })
  const process = await pool.take(buildDenoLaunch({ binary, ...language, packages: null, baselineBytes: null, limits }))
  try {
    const kibibytes = /^VmData:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${process.pid}/status`, 'utf8'))?.[1]
    if (kibibytes !== undefined) return Number(kibibytes) * 1024
  } catch {
    // no /proc: not Linux
  } finally {
    await process.kill()
  }
  const where = `The memory of ${language.language} tools is not limited on ${globalThis.process.platform}`
  logger.warn(`${where}: run the server on Linux where tools are not trusted.`)
  return null
}

const cancelled = (): ToolRunResult => ({ status: 'error', ...CANCELLED, stdout: [], stderr: [] })
