import { setTimeout as sleep } from 'node:timers/promises'
import { ErrorReply } from '@redis/client'
import { errorMessage } from '#platform/errors.ts'
import type { Logger } from '#platform/logger.ts'
import { type RedisClient, RedisConnection } from '#platform/redis.ts'
import type { EventBatch } from '#store/run-events/event-batch.ts'
import { encodeEvents, type SequencedEvent, spanOf } from './encode-events.ts'

/** Pause between two sendings, and between two readings: what comes meanwhile shares a round trip. */
const PACE_MS = 5
/** How long a reading waits for news; also how long a new follower waits at most until it is read for. */
const BLOCK_MS = 100
const ANSWER_LIMIT_MS = 1000
/** Events that wait to be sent at most, of all runs; what is above that is left to the database. */
const MAX_WAITING = 20_000
/** Batches that are kept of a run: some ten seconds. Who is further behind reads the database. */
const KEPT_BATCHES = 512
const BATCHES_PER_READ = 200
/** A run of which nobody said anything for so long is forgotten. */
const KEEP_MS = 60_000
const EXPIRY_EVERY_MS = 10_000
/** Pause after an error of Redis: it may be full, or lack a right. */
const REFUSAL_PAUSE_MS = 2000
/** Pause after a gap, until the database will have been read. */
const GAP_PAUSE_MS = 50

/** A run that is followed here and worked on elsewhere. */
export interface RemoteRun {
  runId: string
  /** What all its followers here have. */
  after: number
}

export interface FanoutReader {
  listRemoteRuns(): RemoteRun[]
  /** Hands batches on. False where something before the first of them is missing; then it sees to it that it is read. */
  deliver(runId: string, batches: readonly EventBatch[]): Promise<boolean>
}

/**
 * Carries events of runs to followers on other replicas through Redis Streams, sooner than the database does. Only that: each
 * batch says which numbers it has, so that whatever Redis loses, keeps back or says twice is noticed by the reader, who looks
 * into the database in any case. Nothing waits for Redis, and what it cannot take is dropped here.
 *
 * The id of an entry is the batch's last number. So a reader asks for what comes after its cursor, whatever it has read from
 * where, and a former owner of a run that speaks late is refused: its numbers lie below those of the next.
 */
export class RedisFanout implements AsyncDisposable {
  readonly #logger: Logger
  readonly #sender: RedisConnection
  readonly #receiver: RedisConnection
  readonly #abort = new AbortController()
  #waiting = new Map<string, SequencedEvent[]>()
  #waitingCount = 0
  #isSending = false
  #refusedUntil = 0
  readonly #expirySetAt = new Map<string, number>()
  /** Runs that batches are handed on for, or that wait for the database. */
  readonly #busy = new Set<string>()
  #reading: Promise<void> = Promise.resolve()

  constructor({ url, logger }: { url: string; logger: Logger }) {
    this.#logger = logger
    this.#sender = new RedisConnection({ url, logger, name: 'perdure-sender' })
    this.#receiver = new RedisConnection({ url, logger, name: 'perdure-receiver' })
  }

  /** True while what is published has a good chance to get to Redis. */
  get isUp(): boolean {
    return this.#sender.isUp && performance.now() >= this.#refusedUntil
  }

  open(reader: FanoutReader): void {
    this.#reading = this.#readAll(reader)
  }

  /** Sends an event to whoever follows the run elsewhere, soon. In order for each run; what is missing in between is a gap. */
  publish(runId: string, entry: SequencedEvent): void {
    if (!this.isUp || this.#waitingCount >= MAX_WAITING) return
    const entries = this.#waiting.get(runId)
    if (entries === undefined) this.#waiting.set(runId, [entry])
    else entries.push(entry)
    this.#waitingCount += 1
    if (!this.#isSending) void this.#sendAll()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort()
    this.#sender[Symbol.dispose]()
    this.#receiver[Symbol.dispose]()
    await this.#reading
  }

  async #sendAll(): Promise<void> {
    this.#isSending = true
    while (this.#waitingCount > 0 && !this.#abort.signal.aborted) {
      const waiting = this.#waiting
      this.#waiting = new Map()
      this.#waitingCount = 0
      try {
        await this.#sender.run(ANSWER_LIMIT_MS, (client) => this.#send(client, waiting))
      } catch (error) {
        // readers find in the database what is lost; of a lost connection its own log line tells
        if (error instanceof ErrorReply) this.#pause(error)
      }
      await sleep(PACE_MS)
    }
    this.#isSending = false
  }

  #pause(error: ErrorReply): void {
    this.#refusedUntil = performance.now() + REFUSAL_PAUSE_MS
    this.#logger.warn({ error: errorMessage(error) }, 'Redis refuses events; the database has them')
  }

  async #send(client: RedisClient, waiting: ReadonlyMap<string, SequencedEvent[]>): Promise<void> {
    const now = performance.now()
    const replies: Promise<unknown>[] = []
    for (const [runId, entries] of waiting) {
      for (const { first_seq, last_seq, events } of toBatches(entries)) {
        const fields = { first: String(first_seq), events }
        const TRIM = { strategy: 'MAXLEN', strategyModifier: '~', threshold: KEPT_BATCHES } as const
        replies.push(client.xAdd(keyOf(runId), `${last_seq}-0`, fields, { TRIM }))
      }
      if (now - (this.#expirySetAt.get(runId) ?? Number.NEGATIVE_INFINITY) < EXPIRY_EVERY_MS) continue
      this.#expirySetAt.delete(runId)
      this.#expirySetAt.set(runId, now)
      replies.push(client.pExpire(keyOf(runId), KEEP_MS))
    }
    for (const [runId, setAt] of this.#expirySetAt) {
      // oldest first
      if (now - setAt < EXPIRY_EVERY_MS) break
      this.#expirySetAt.delete(runId)
    }
    for (const outcome of await Promise.allSettled(replies)) {
      if (outcome.status === 'rejected' && !isOldNumber(outcome.reason)) throw outcome.reason
    }
  }

  async #readAll(reader: FanoutReader): Promise<void> {
    const { signal } = this.#abort
    while (!signal.aborted) {
      const runs = this.#receiver.isUp ? reader.listRemoteRuns().filter(({ runId }) => !this.#busy.has(runId)) : []
      const hasRead = runs.length > 0 && (await this.#read(reader, runs))
      await sleep(hasRead ? PACE_MS : BLOCK_MS, undefined, { signal, ref: false }).catch(() => {})
    }
  }

  async #read(reader: FanoutReader, runs: readonly RemoteRun[]): Promise<boolean> {
    const streams = runs.map(({ runId, after }) => ({ key: keyOf(runId), id: `${after}-0` }))
    try {
      const reply = await this.#receiver.run(BLOCK_MS + ANSWER_LIMIT_MS, (client) =>
        client.xRead(streams, { COUNT: BATCHES_PER_READ, BLOCK: BLOCK_MS }),
      )
      for (const { name, messages } of (reply ?? []) as unknown as StreamReply[]) {
        const batches = messages.map(toBatch).filter((batch) => batch !== undefined)
        void this.#deliver(reader, runIdOf(name), batches)
      }
      return true
    } catch {
      return false
    }
  }

  async #deliver(reader: FanoutReader, runId: string, batches: readonly EventBatch[]): Promise<void> {
    this.#busy.add(runId)
    try {
      if (!(await reader.deliver(runId, batches))) await sleep(GAP_PAUSE_MS, undefined, { ref: false })
    } catch (error) {
      this.#logger.warn({ run_id: runId, error: errorMessage(error) }, 'events not handed on; read again')
      await sleep(GAP_PAUSE_MS, undefined, { ref: false })
    } finally {
      this.#busy.delete(runId)
    }
  }
}

interface StreamReply {
  name: string
  messages: { id: string; message: Record<string, string> }[]
}

const KEY_PREFIX = 'perdure:run-events:'
const keyOf = (runId: string): string => `${KEY_PREFIX}${runId}`
const runIdOf = (key: string): string => key.slice(KEY_PREFIX.length)

/** As few batches as there are stretches without a gap. */
function toBatches(entries: readonly SequencedEvent[]): EventBatch[] {
  const stretches: SequencedEvent[][] = []
  let next = Number.NaN
  for (const entry of entries) {
    if (entry.seq === next) stretches.at(-1)?.push(entry)
    else stretches.push([entry])
    next = entry.seq + spanOf(entry.event)
  }
  return stretches.map(encodeEvents)
}

/** Undefined for what is none of ours. */
function toBatch({ id, message }: StreamReply['messages'][number]): EventBatch | undefined {
  const [first_seq, last_seq] = [Number(message.first), Number.parseInt(id, 10)]
  if (!(Number.isSafeInteger(first_seq) && first_seq <= last_seq) || message.events === undefined) return undefined
  return { first_seq, last_seq, events: message.events }
}

/** Someone has said more already: a new owner of the run, or we ourselves before the answer got lost. */
const isOldNumber = (error: unknown): boolean =>
  error instanceof ErrorReply && error.message.includes('equal or smaller than the target stream top item')
