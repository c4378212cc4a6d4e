import { errorMessage } from '#platform/errors.ts'
import type { Logger } from '#platform/logger.ts'

export interface TickerOptions {
  logger: Logger
  /** What it does, for the log. */
  name: string
  /** Pause (ms) between the end of one round and the next. */
  everyMs: number
  /** One round. A failure is logged and the next round comes as always. */
  work: () => Promise<unknown>
}

/**
 * Does a piece of work again and again, never two rounds at once. What is due stands in the database: a round that is missed or
 * that fails loses nothing.
 */
export class Ticker implements AsyncDisposable {
  readonly #options: TickerOptions
  #timer: NodeJS.Timeout | undefined
  #round: Promise<void> | undefined
  #isWoken = false
  #isRunning = false

  constructor(options: TickerOptions) {
    this.#options = options
  }

  /** Begins with a round at once. */
  start(): void {
    this.#isRunning = true
    this.wake()
  }

  /** Does not wait for the next round; during one, another one follows it. */
  wake(): void {
    if (!this.#isRunning) return
    if (this.#round !== undefined) {
      this.#isWoken = true
      return
    }
    clearTimeout(this.#timer)
    this.#round = this.#doRound().finally(() => {
      this.#round = undefined
      if (!this.#isRunning) return
      if (this.#isWoken) {
        this.#isWoken = false
        this.wake()
      } else this.#timer = setTimeout(() => this.wake(), this.#options.everyMs)
    })
  }

  async #doRound(): Promise<void> {
    try {
      await this.#options.work()
    } catch (error) {
      const { logger, name } = this.#options
      logger.warn({ error: errorMessage(error) }, `${name} failed; tried again in a moment`)
    }
  }

  /** No further round; resolves when the one under way has ended. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isRunning = false
    clearTimeout(this.#timer)
    await this.#round
  }
}
