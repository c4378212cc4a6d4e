import { Worker } from 'node:worker_threads'
import type { GrepMatch, GrepRequest } from './grep-lines.ts'
import type { GrepReply } from './grep-worker.ts'

/** Threads at once; further searches wait for their turn. */
const MAX_THREADS = 2
const MEMORY = { maxOldGenerationSizeMb: 512 }

let running = 0
const waiting: (() => void)[] = []

async function takeTurn(): Promise<void> {
  if (running < MAX_THREADS) running += 1
  else await new Promise<void>((resolve) => waiting.push(resolve))
}

function giveTurn(): void {
  const next = waiting.shift()
  if (next === undefined) running -= 1
  else next()
}

/** Thrown when a pattern needs more time or memory than a search may have. */
export class GrepAborted extends Error {}

/**
 * A thread that tries one pattern on texts, one after the other: in time proportional to the text, but for patterns that only JavaScript itself
 * can read (`compile-pattern.ts`). Either would hold up the whole server; the thread is ended when its searches have taken `limitMs` together.
 * Close it when done.
 */
export class GrepThread implements AsyncDisposable {
  readonly #worker: Worker
  #remainingMs: number
  readonly #failed = Promise.withResolvers<never>()

  private constructor(pattern: string, limitMs: number) {
    const file = new URL(`./grep-worker${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url)
    this.#worker = new Worker(file, { workerData: { pattern }, resourceLimits: MEMORY })
    this.#worker.on('error', () => this.#failed.reject(new GrepAborted('the search needed too much memory')))
    this.#remainingMs = limitMs
    // nobody may be waiting at that moment
    this.#failed.promise.catch(() => undefined)
  }

  /** `pattern` is a valid regular expression. */
  static async open(pattern: string, limitMs: number): Promise<GrepThread> {
    await takeTurn()
    return new GrepThread(pattern, limitMs)
  }

  /** Throws GrepAborted. */
  async search(request: GrepRequest): Promise<GrepMatch[]> {
    const answer = new Promise<GrepReply>((resolve) => this.#worker.once('message', resolve))
    const began = performance.now()
    const timer = setTimeout(
      () => this.#failed.reject(new GrepAborted('the search took too long')),
      Math.max(this.#remainingMs, 0),
    )
    try {
      this.#worker.postMessage(request)
      return (await Promise.race([answer, this.#failed.promise])).matches
    } finally {
      clearTimeout(timer)
      this.#remainingMs -= performance.now() - began
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker.terminate()
    giveTurn()
  }
}
