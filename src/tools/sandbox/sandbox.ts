import { errorMessage } from '#platform/errors.ts'
import type { Logger } from '#platform/logger.ts'
import {
  type SandboxLevel,
  SandboxUnavailable,
  type ToolCall,
  type ToolLanguage,
  type ToolRunner,
  type ToolRunResult,
} from './tool-runner.ts'

/** A sandbox that could not be had is asked for again after this time: somebody may have installed what is missing. */
const RETRY_MS = 30_000

export interface SandboxOptions {
  logger: Logger
  /** Levels of each language, best first; empty where the operator wants none. */
  levels: Readonly<Record<ToolLanguage, readonly SandboxLevel[]>>
  /** Throws SandboxUnavailable where this machine cannot do it. */
  open: Readonly<Record<SandboxLevel, () => Promise<ToolRunner>>>
}

/** What a language is run in, or why in nothing. */
export interface SandboxState {
  language: ToolLanguage
  level: SandboxLevel | null
  /** What keeps better levels from being used, in words. */
  problems: string[]
}

interface OpenRunner {
  runner: ToolRunner | undefined
  problems: string[]
  failedAt: number
}

/** Runs code that is not the server's, by the best level that the machine has and the operator allows. Nothing is started before the first call. */
export class Sandbox implements AsyncDisposable {
  readonly #options: SandboxOptions
  readonly #runners = new Map<ToolLanguage, Promise<OpenRunner>>()

  constructor(options: SandboxOptions) {
    this.#options = options
  }

  /** Throws SandboxUnavailable, with what to do, where the language cannot be run. */
  async run(call: ToolCall, signal: AbortSignal): Promise<ToolRunResult> {
    const { runner, problems } = await this.#runner(call.language)
    if (runner !== undefined) return runner.run(call, signal)
    throw new SandboxUnavailable(
      problems.length > 0
        ? `there is no sandbox for ${call.language} on this server: ${problems.join('; ')}. The operator can ask \`perdure doctor\`.`
        : `this server runs no ${call.language}: the operator has switched it off (PERDURE_${call.language.toUpperCase()}_SANDBOX).`,
    )
  }

  /** Opens what is not open yet, and says what there is. */
  async describe(language: ToolLanguage): Promise<SandboxState> {
    const { runner, problems } = await this.#runner(language)
    return { language, level: runner?.level ?? null, problems }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const opened = await Promise.all(this.#runners.values())
    this.#runners.clear()
    await Promise.all(opened.map(({ runner }) => runner?.[Symbol.asyncDispose]()))
  }

  async #runner(language: ToolLanguage): Promise<OpenRunner> {
    const known = this.#runners.get(language)
    const opened = await known
    if (opened !== undefined && (opened.runner !== undefined || Date.now() - opened.failedAt < RETRY_MS)) return opened
    // another call may have begun to open it meanwhile
    const current = this.#runners.get(language)
    if (current !== undefined && current !== known) return current
    const opening = this.#open(language)
    this.#runners.set(language, opening)
    return opening
  }

  async #open(language: ToolLanguage): Promise<OpenRunner> {
    const problems: string[] = []
    for (const level of this.#options.levels[language]) {
      try {
        const runner = await this.#options.open[level]()
        this.#options.logger.info({ language, level, problems }, 'sandbox for tools is ready')
        return { runner, problems, failedAt: 0 }
      } catch (error) {
        if (!(error instanceof SandboxUnavailable)) this.#options.logger.error({ err: error, level }, 'sandbox failed')
        problems.push(`${level}: ${errorMessage(error)}`)
      }
    }
    this.#options.logger.warn({ language, problems }, 'there is no sandbox for tools of this language')
    return { runner: undefined, problems, failedAt: Date.now() }
  }
}
