import type { EventBatch } from '#store/run-events/event-batch.ts'
import type { Lease } from '#store/runs/run-row.ts'
import { encodeEvents, firstSeqBefore, type SequencedEvent, spanOf } from './encode-events.ts'
import type { FleetingEvent, LoggedEvent } from './run-events.ts'
import type { RunFollower } from './run-follower.ts'

/** A slow reader reads batch by batch: none is much larger than it takes at once. */
const MAX_BATCH_CHARS = 64 * 1024

const sizeOf = (event: LoggedEvent | undefined): number =>
  event === undefined
    ? 0
    : 'text' in event
      ? event.text.length
      : 'argumentsDelta' in event
        ? event.argumentsDelta.length
        : 0

/** Events that are stored by the statement which makes them true. */
export interface SealedEvents {
  /** For that statement: these events, and all that was told before and is not stored yet. */
  batches: EventBatch[]
  /** Once the statement is committed. `events` replaces those that were sealed, of the same kinds and ids. */
  tell: (events?: readonly LoggedEvent[]) => void
}

/**
 * The log of one run at its owner: numbers events, tells them to the followers here at once, and keeps what is not stored
 * yet. Pieces of text are stored in batches by the stream log, messages and the end by the statements that make them.
 */
export class RunLog {
  readonly lease: Lease
  readonly followers = new Set<RunFollower>()
  /** True when somebody follows on another replica: then batches are stored sooner and announced. */
  isFollowedElsewhere = false
  /** Set by the stream log: events were stored by a statement of their own. */
  onCommit: () => void = () => {}
  /** Set by the stream log: what the followers here are told, in order, each event once. */
  onTold: (entry: SequencedEvent) => void = () => {}
  #nextSeq: number
  /** Told and perhaps not stored: first those in `#frozen`, then those that no batch has yet. */
  readonly #unstored: SequencedEvent[] = []
  /** Batches that were sent to the database, oldest first: their boundaries stay, so that sending them again changes nothing. */
  readonly #frozen: EventBatch[] = []
  #frozenEvents = 0
  #flushing: Promise<void> | undefined
  /** A statement that stores everything is under way. */
  #isSealed = false
  readonly #streamedMessages = new Set<string>()

  constructor(lease: Lease) {
    this.lease = lease
    this.#nextSeq = firstSeqBefore(lease.token) + 1
  }

  get lastSeq(): number {
    return this.#nextSeq - 1
  }

  /** Told, and perhaps not in the database yet. */
  get unstored(): readonly SequencedEvent[] {
    return this.#unstored
  }

  get hasUnstored(): boolean {
    return this.#unstored.length > 0
  }

  /** Tells a piece of a message; it is stored later. */
  append(event: LoggedEvent): void {
    if ('messageId' in event) this.#streamedMessages.add(event.messageId)
    const entry = this.#number(event)
    this.#unstored.push(entry)
    this.#tell(entry)
  }

  /** Tells what is not worth keeping. */
  mention(event: FleetingEvent): void {
    for (const follower of this.followers) follower.mention(event)
  }

  /** Numbers events that a statement will store. Only after the answer to a batch under way: the log has no holes. */
  async seal(events: readonly LoggedEvent[]): Promise<SealedEvents> {
    await this.#flushing
    this.#isSealed = true
    this.#freeze()
    const sealed = events.map((event) => this.#number(this.#complete(event)))
    const batches = sealed.length > 0 ? [...this.#frozen, encodeEvents(sealed)] : [...this.#frozen]
    const through = this.lastSeq
    return {
      batches,
      tell: (told = sealed.map(({ event }) => event)) => {
        this.#isSealed = false
        this.#confirm(through)
        for (const [index, event] of told.entries()) {
          const seq = sealed[index]?.seq
          if (seq === undefined) continue
          this.#tell({ seq, event: this.#complete(event) })
        }
        this.onCommit()
      },
    }
  }

  /** Everything after the cursor that is not stored yet, or undefined where something before it must be read first. */
  since(cursor: number): SequencedEvent[] | undefined {
    const first = this.#unstored[0]
    if (first === undefined) return cursor >= this.lastSeq ? [] : undefined
    if (first.seq > cursor + 1) return undefined
    return this.#unstored.filter(({ seq, event }) => seq + spanOf(event) - 1 > cursor)
  }

  /** Lets `store` have what is not stored yet, unless that is under way. */
  flush(store: (batches: readonly EventBatch[]) => Promise<void>): void {
    if (this.#flushing !== undefined || this.#isSealed || !this.hasUnstored) return
    this.#freeze()
    const last = this.#frozen.at(-1)?.last_seq ?? 0
    this.#flushing = store([...this.#frozen])
      .then(() => this.#confirm(last))
      // kept, and sent again with the next
      .catch(() => {})
      .finally(() => {
        this.#flushing = undefined
      })
  }

  #tell(entry: SequencedEvent): void {
    for (const follower of this.followers) follower.push(entry)
    this.onTold(entry)
  }

  #number(event: LoggedEvent): SequencedEvent {
    const seq = this.#nextSeq
    this.#nextSeq += spanOf(event)
    return { seq, event }
  }

  #complete(event: LoggedEvent): LoggedEvent {
    return event.type === 'message' ? { ...event, hasDeltas: this.#streamedMessages.has(event.message.id) } : event
  }

  #freeze(): void {
    let from = this.#frozenEvents
    let chars = 0
    for (let index = from; index < this.#unstored.length; index += 1) {
      chars += sizeOf(this.#unstored[index]?.event)
      if (chars < MAX_BATCH_CHARS && index < this.#unstored.length - 1) continue
      this.#frozen.push(encodeEvents(this.#unstored.slice(from, index + 1)))
      from = index + 1
      chars = 0
    }
    this.#frozenEvents = this.#unstored.length
  }

  #confirm(throughSeq: number): void {
    const stored = this.#unstored.findIndex(({ seq }) => seq > throughSeq)
    const count = stored === -1 ? this.#unstored.length : stored
    this.#unstored.splice(0, count)
    this.#frozenEvents = Math.max(0, this.#frozenEvents - count)
    while ((this.#frozen[0]?.last_seq ?? Number.POSITIVE_INFINITY) <= throughSeq) this.#frozen.shift()
  }
}
