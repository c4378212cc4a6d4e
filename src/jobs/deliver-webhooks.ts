import type { Logger } from '#platform/logger.ts'
import type { Db } from '#store/db.ts'
import { claimDeliveries, hostOf } from '#store/webhooks/claim-deliveries.ts'
import type { ClaimedDelivery } from '#store/webhooks/delivery-row.ts'
import { pruneDeliveries } from '#store/webhooks/prune-deliveries.ts'
import { type AttemptOutcome, recordAttempt } from '#store/webhooks/record-attempt.ts'
import type { CallbackAnswer, CallbackPoster } from './post-callback.ts'
import { callbackHeaders } from './sign-callback.ts'
import { Ticker } from './ticker.ts'

const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** Pauses after the first, second… attempt; after the last attempt it is dead, some 22 hours after the first. */
const PAUSES_MS = [5 * SECOND, 30 * SECOND, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 6 * HOUR, 14 * HOUR]
/** Each pause is longer by a random part of it up to this: receivers that were down are not met by all at once. */
const JITTER = 0.2
/** Answers of class 4xx that can be different the next time. */
const TRANSIENT_STATUSES = new Set([408, 409, 425, 429])

const CLAIM_SIZE = 4
/** Attempts under way at most: in this process, and to one host. */
const MAX_UNDER_WAY = 32
const MAX_PER_HOST = 4
const TICK_MS = SECOND
/** Beyond an attempt's time-out: to write its outcome down before another process takes it over. */
const LEASE_MARGIN_MS = 30 * SECOND
const KEPT_MS = 14 * DAY
const PRUNE_EVERY_MS = HOUR
const PRUNE_SIZE = 1000

export interface WebhookDelivererOptions {
  db: Db
  logger: Logger
  poster: Pick<CallbackPoster, 'post'>
  secrets: readonly string[]
  timeoutMs: number
  /** A number from 0 to 1, for the jitter. */
  random?: () => number
}

/** Posts the callbacks of the outbox from every replica; each attempt is one replica's. At least once, never in order. */
export class WebhookDeliverer implements AsyncDisposable {
  readonly #options: WebhookDelivererOptions
  readonly #ticker: Ticker
  readonly #underWay = new Map<Promise<void>, string>()
  #prunedAt = 0

  constructor(options: WebhookDelivererOptions) {
    this.#options = options
    const work = () => this.deliverDue()
    this.#ticker = new Ticker({ logger: options.logger, name: 'posting callbacks', everyMs: TICK_MS, work })
  }

  start(): void {
    this.#ticker.start()
  }

  /** Begins an attempt of each callback that is due, as far as there is room for it. */
  async deliverDue(): Promise<void> {
    const { db, timeoutMs } = this.#options
    let claimed: ClaimedDelivery[]
    do {
      const limit = Math.min(CLAIM_SIZE, MAX_UNDER_WAY - this.#underWay.size)
      if (limit <= 0) break
      claimed = await claimDeliveries(db, limit, timeoutMs + LEASE_MARGIN_MS, this.#busyHosts())
      for (const delivery of claimed) this.#begin(delivery)
    } while (claimed.length > 0)
    if (Date.now() - this.#prunedAt > PRUNE_EVERY_MS) {
      while ((await pruneDeliveries(db, KEPT_MS, PRUNE_SIZE)) === PRUNE_SIZE);
      this.#prunedAt = Date.now()
    }
  }

  /** Resolves when no attempt of this process is under way. */
  async idle(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.all(this.#underWay.keys())
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#ticker[Symbol.asyncDispose]()
    await this.idle()
  }

  #busyHosts(): string[] {
    const counts = new Map<string, number>()
    for (const host of this.#underWay.values()) counts.set(host, (counts.get(host) ?? 0) + 1)
    return [...counts].filter(([, count]) => count >= MAX_PER_HOST).map(([host]) => host)
  }

  #begin(delivery: ClaimedDelivery): void {
    const attempt = this.#attempt(delivery)
      .catch((err: unknown) => {
        this.#options.logger.warn(
          { err, delivery_id: delivery.id },
          'callback outcome not stored; it will be sent again',
        )
      })
      .finally(() => {
        this.#underWay.delete(attempt)
        // others of a busy host may wait
        if (this.#underWay.size >= MAX_PER_HOST - 1) this.#ticker.wake()
      })
    this.#underWay.set(attempt, hostOf(delivery.url))
  }

  async #attempt(delivery: ClaimedDelivery): Promise<void> {
    const { db, logger, poster, secrets } = this.#options
    const body = JSON.stringify(callbackBody(delivery))
    const message = { id: delivery.id, timestamp: Math.floor(Date.now() / 1000), body }
    const answer = await poster.post(delivery.url, body, callbackHeaders(message, secrets))
    const outcome = outcomeOf(delivery, answer, this.#options.random ?? Math.random)
    await recordAttempt(db, delivery, outcome)
    const fields = { delivery_id: delivery.id, attempt: delivery.attempt_count, status_code: outcome.statusCode }
    if (outcome.state === 'delivered') logger.debug(fields, 'callback delivered')
    else if (outcome.state === 'dead') logger.warn({ ...fields, error: outcome.error }, 'callback given up')
    else logger.info({ ...fields, error: outcome.error, retry_ms: outcome.retryAfterMs }, 'callback failed')
  }
}

/** The body as V1 sent it: of a run, or of a batch. */
function callbackBody({ run_id, batch_id, status, completed_at, metadata }: ClaimedDelivery): object {
  const ended = { status, completed_at: completed_at.toISOString() }
  return run_id === null ? { job_id: batch_id, ...ended, metadata } : { run_id, ...ended, metadata }
}

/** What an attempt's answer means for the callback. */
function outcomeOf(
  { attempt_count, attempt_limit }: ClaimedDelivery,
  answer: CallbackAnswer,
  random: () => number,
): AttemptOutcome {
  const statusCode = answer.kind === 'answered' ? answer.statusCode : null
  if (statusCode !== null && statusCode >= 200 && statusCode < 300) {
    return { state: 'delivered', statusCode, error: null, retryAfterMs: 0 }
  }
  const error = answer.kind === 'answered' ? describeStatus(answer.statusCode) : answer.error
  const isRefusedForGood =
    statusCode !== null && statusCode >= 400 && statusCode < 500 && !TRANSIENT_STATUSES.has(statusCode)
  if (answer.kind === 'refused' || isRefusedForGood || attempt_count >= attempt_limit) {
    return { state: 'dead', statusCode, error, retryAfterMs: 0 }
  }
  const attemptsLeft = attempt_limit - attempt_count
  const pause = PAUSES_MS[Math.max(PAUSES_MS.length - attemptsLeft, 0)] ?? 0
  const wished = answer.kind === 'answered' ? Math.min(answer.retryAfterMs, DAY) : 0
  return { state: 'pending', statusCode, error, retryAfterMs: Math.max(pause * (1 + JITTER * random()), wished) }
}

function describeStatus(statusCode: number): string {
  const isRedirect = statusCode >= 300 && statusCode < 400
  return `the receiver answered ${statusCode}${isRedirect ? ', and redirects are not followed' : ''}`
}
