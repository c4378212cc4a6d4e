import { setTimeout as sleep } from 'node:timers/promises'
import { errorMessage } from '#platform/errors.ts'
import type { Logger } from '#platform/logger.ts'
import type { Queryable } from '#store/db.ts'
import { addPassageRetrievals } from '#store/passages/passage-retrievals.ts'

const FLUSH_EVERY_MS = 5_000
/** Passages that wait to be written; of more nothing is kept, so that a database that is away costs counts and no memory. */
const MAX_WAITING = 20_000
/** Of one statement. */
const AT_ONCE = 1_000
/** How long the end of the process waits for what is not written yet. */
const LAST_FLUSH_MS = 2_000

interface Waiting {
  count: number
  lastMs: number
}

/**
 * Remembers which passages searches have given, and writes it down every few seconds, beside the searches, which never wait for it. What a
 * process has not written when it dies is lost: it is a statistic.
 */
export class RetrievalLog implements AsyncDisposable {
  readonly #db: Queryable
  readonly #logger: Logger
  #waiting = new Map<string, Map<string, Waiting>>()
  #size = 0
  #lost = 0
  #timer: NodeJS.Timeout | undefined
  #writing: Promise<void> | undefined
  readonly #everyMs: number

  constructor({ db, logger, everyMs = FLUSH_EVERY_MS }: { db: Queryable; logger: Logger; everyMs?: number }) {
    this.#db = db
    this.#logger = logger
    this.#everyMs = everyMs
  }

  /** Notes that a search has given these passages. Returns at once. */
  recordRetrieved(organizationId: string, passageIds: readonly string[]): void {
    if (passageIds.length === 0) return
    const known = this.#waiting.get(organizationId) ?? new Map<string, Waiting>()
    this.#waiting.set(organizationId, known)
    const lastMs = Date.now()
    for (const id of passageIds) {
      const before = known.get(id)
      if (before === undefined && this.#size >= MAX_WAITING) this.#lost += 1
      else {
        known.set(id, { count: (before?.count ?? 0) + 1, lastMs })
        if (before === undefined) this.#size += 1
      }
    }
    this.#timer ??= setTimeout(() => void this.flush(), this.#everyMs).unref()
  }

  /** Writes what was noted until now. Never throws. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const before = this.#writing
    const waiting = this.#waiting
    this.#waiting = new Map()
    this.#size = 0
    const writing = (async () => {
      await before
      await this.#write(waiting)
    })()
    this.#writing = writing
    await writing
  }

  /** Writes the last ones, unless the database takes too long for it. */
  async [Symbol.asyncDispose](): Promise<void> {
    const abort = new AbortController()
    await Promise.race([this.flush(), sleep(LAST_FLUSH_MS, undefined, { signal: abort.signal }).catch(() => undefined)])
    abort.abort()
    clearTimeout(this.#timer)
  }

  async #write(waiting: ReadonlyMap<string, ReadonlyMap<string, Waiting>>): Promise<void> {
    for (const [organizationId, passages] of waiting) {
      const all = [...passages].map(([passage_id, { count, lastMs }]) => ({
        passage_id,
        count,
        last: new Date(lastMs).toISOString(),
      }))
      for (let at = 0; at < all.length; at += AT_ONCE) {
        const some = all.slice(at, at + AT_ONCE)
        try {
          await addPassageRetrievals(this.#db, organizationId, some)
        } catch (error) {
          this.#lost += some.length
          this.#logger.warn({ error: errorMessage(error) }, 'retrievals of passages were not written down')
        }
      }
    }
    if (this.#lost === 0) return
    this.#logger.warn(
      { count: this.#lost },
      'retrievals of passages are not counted: the database was away or too slow',
    )
    this.#lost = 0
  }
}
