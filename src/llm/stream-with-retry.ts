import { setTimeout as sleep } from 'node:timers/promises'
import { ModelError, type ModelErrorKind, type ModelEvent, type ModelReply } from './model.ts'

/** What one request gives: the events of its answer, the finished reply last. */
export type AttemptEvent = Exclude<ModelEvent, { type: 'retry' | 'reply' }> | { type: 'reply'; reply: ModelReply }

export interface RetryOptions {
  /** Makes one request. Throws ModelError, or whatever `toError` understands. */
  attempt: (signal: AbortSignal) => AsyncIterable<AttemptEvent>
  toError: (error: unknown) => ModelError
  signal: AbortSignal
  /** Names the model in the message of an abort. */
  handle: string
  /** Backoff (ms) before the first retry; doubled for each further one. Tests make it short. */
  firstDelayMs?: number
}

export const MAX_RETRIES = 3
const FIRST_DELAY_MS = 500
const MAX_DELAY_MS = 8_000
/** A provider that wants to be left alone for longer is reported at once: nobody waits that long for an answer. */
const MAX_RETRY_AFTER_MS = 60_000

const RETRYABLE: ReadonlySet<ModelErrorKind> = new Set([
  'rate_limit',
  'overloaded',
  'server_error',
  'connection',
  'timeout',
])

/**
 * The events of a model's answer, asked for up to four times: a request is repeated, after an exponential backoff with
 * jitter or the time the provider names, while nothing of its answer has been passed on. Throws ModelError; `aborted` at
 * once when the signal fires, also between two requests.
 */
export async function* streamWithRetry(options: RetryOptions): AsyncGenerator<ModelEvent> {
  const { attempt, toError, signal, handle, firstDelayMs = FIRST_DELAY_MS } = options
  const start = performance.now()
  for (let attempts = 1; ; attempts++) {
    let firstTokenMs: number | undefined
    try {
      if (signal.aborted) throw signal.reason
      for await (const event of attempt(signal)) {
        firstTokenMs ??= performance.now() - start
        if (event.type !== 'reply') yield event
        else {
          const totalMs = performance.now() - start
          yield { type: 'reply', reply: event.reply, timing: { firstTokenMs, totalMs, attempts } }
        }
      }
      return
    } catch (cause) {
      if (signal.aborted) throw aborted(handle, cause)
      const error = toError(cause)
      const delayMs = attempts > MAX_RETRIES ? undefined : retryDelay(error, attempts, firstDelayMs)
      if (firstTokenMs !== undefined || delayMs === undefined) throw error
      yield { type: 'retry', attempt: attempts, delayMs, error }
      await sleep(delayMs, undefined, { signal }).catch((reason: unknown) => {
        throw aborted(handle, reason)
      })
    }
  }
}

const aborted = (handle: string, cause: unknown): ModelError =>
  new ModelError('aborted', `The call of ${handle} was cancelled.`, { cause })

/** Milliseconds to wait before the next request; undefined where another request cannot help. `attempts`: how many there were. */
export function retryDelay(error: ModelError, attempts: number, firstDelayMs = FIRST_DELAY_MS): number | undefined {
  if (!RETRYABLE.has(error.kind)) return undefined
  if (error.retryAfterMs !== undefined) {
    return error.retryAfterMs > MAX_RETRY_AFTER_MS ? undefined : Math.ceil(error.retryAfterMs)
  }
  const delayMs = Math.min(firstDelayMs * 2 ** (attempts - 1), MAX_DELAY_MS)
  // half of it random, so that the runs of a busy server do not return in step
  return Math.round(delayMs * (0.5 + Math.random() / 2))
}
