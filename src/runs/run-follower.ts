import { type SequencedEvent, spanOf } from './encode-events.ts'
import type { FleetingEvent, LoggedEvent, RunEvent } from './run-events.ts'

/** Called with an event and the number of its first chunk; fleeting ones have the number of what came before them. */
export type FollowerListener = (event: RunEvent, seq: number) => void

export interface FollowerOptions {
  organizationId: string
  runId: string
  /** Number of the last chunk that is known; 0 for all of them. */
  after: number
  listener: FollowerListener
  /**
   * When nothing more comes although no end was told: the log is over at the cursor, or what came next is not kept any more.
   * Without it a reader gets what is left.
   */
  onOver?: ((reason: 'complete' | 'expired') => void) | undefined
  /** What the listener throws. */
  onError: (error: unknown) => void
}

/**
 * One reader of a run's events, on any replica: gets them in order and each once, whoever works on the run. While it is
 * paused nothing is kept for it; what it misses is read from the log again.
 */
export class RunFollower {
  readonly organizationId: string
  readonly runId: string
  readonly #options: FollowerOptions
  #cursor: number
  #isPaused = false
  #isOver = false
  /** True while events can be handed on as they come: nothing is missing before them. */
  isLive = false
  /** Set by the stream log: what is to be done when the reader can take more. */
  onResume: () => void = () => {}
  /** Set by the stream log: forgets the follower. */
  onClose: () => void = () => {}

  constructor(options: FollowerOptions) {
    this.#options = options
    this.organizationId = options.organizationId
    this.runId = options.runId
    this.#cursor = options.after
  }

  get cursor(): number {
    return this.#cursor
  }
  get isOver(): boolean {
    return this.#isOver
  }
  get isPaused(): boolean {
    return this.#isPaused
  }

  /** From a slow reader: nothing more until `resume`. */
  pause(): void {
    this.#isPaused = true
    this.isLive = false
  }

  resume(): void {
    if (!this.#isPaused || this.#isOver) return
    this.#isPaused = false
    this.onResume()
  }

  /** Ends the following; nothing is called any more. */
  close(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.onClose()
  }

  /** An event as it happens. Without everything before it, it is left to be read from the log. */
  push(entry: SequencedEvent): void {
    if (this.isLive) this.deliver(entry)
  }

  mention(event: FleetingEvent): void {
    if (this.isLive && !this.#isOver) this.#tell(event, this.#cursor)
  }

  /** Hands an event on, unless it is known. After the end of the run nothing more comes. */
  deliver({ seq, event }: SequencedEvent): void {
    const lastSeq = seq + spanOf(event) - 1
    if (this.#isOver || lastSeq <= this.#cursor) return
    this.#cursor = lastSeq
    const isEnd = event.type === 'run-end'
    if (isEnd) this.close()
    this.#tell(event, seq)
  }

  /** Nothing of a former owner is missing: what comes next is this owner's first. */
  skipTo(seq: number): void {
    this.#cursor = Math.max(this.#cursor, seq)
  }

  /** Tells the end of a run whose log has none. */
  finish(events: readonly LoggedEvent[]): void {
    for (const event of events) this.deliver({ seq: this.#cursor + 1, event })
  }

  /** False where nobody wants to know: then it goes on with what there is. */
  giveUp(reason: 'complete' | 'expired'): boolean {
    if (this.#isOver) return true
    if (reason === 'expired' && this.#options.onOver === undefined) return false
    this.close()
    this.#options.onOver?.(reason)
    return true
  }

  #tell(event: RunEvent, seq: number): void {
    try {
      this.#options.listener(event, seq)
    } catch (error) {
      // whoever listens must not stop the work
      this.#options.onError(error)
    }
  }
}
