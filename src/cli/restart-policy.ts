/** A worker that lived this long had no fault of its start. */
const STABLE_MS = 10_000
const FIRST_PAUSE_MS = 500
const LONGEST_PAUSE_MS = 30_000
/** Starts in a row that came to nothing while nobody served: whoever looks after this process should know. */
const MAX_FAILED_STARTS = 6

/** How a worker ended: after how long, and whether it ever listened. */
export interface WorkerEnd {
  livedMs: number
  hasListened: boolean
  /** Others that listen. */
  othersListening: number
}

/** Decides when a dead worker is replaced: at once, or later and later while they die young. */
export class RestartPolicy {
  #shortLives = 0
  #failedStarts = 0

  /** Milliseconds to wait before the next start, or `give-up`. */
  next({ livedMs, hasListened, othersListening }: WorkerEnd): number | 'give-up' {
    this.#failedStarts = hasListened || othersListening > 0 ? 0 : this.#failedStarts + 1
    if (this.#failedStarts >= MAX_FAILED_STARTS) return 'give-up'
    if (livedMs >= STABLE_MS) {
      this.#shortLives = 0
      return 0
    }
    this.#shortLives += 1
    return Math.min(FIRST_PAUSE_MS * 2 ** (this.#shortLives - 1), LONGEST_PAUSE_MS)
  }
}
