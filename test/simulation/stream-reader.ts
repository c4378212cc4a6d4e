import { DEFAULT_ORGANIZATION_ID } from '#platform/ids.ts'
import { firstSeqBefore, spanOf } from '#runs/encode-events.ts'
import { isLogged, type RunEvent } from '#runs/run-events.ts'
import type { FollowerListener, RunFollower } from '#runs/run-follower.ts'
import type { Chance } from './chance.ts'
import type { SimulatedProcess } from './simulated-process.ts'
import type { World } from './world.ts'

/** True where a number may come after what a reader has: the next one, or the first of a later owner. */
export function mayFollow(cursor: number, seq: number): boolean {
  if (seq === cursor + 1) return true
  const span = firstSeqBefore(2) - firstSeqBefore(1)
  return seq > cursor && (seq - 1) % span === 0
}

/**
 * A client that reads the stream of one run, moving to another replica whenever the one that it reads from is gone, and at
 * times just so. What it is told twice, out of order or not at all is a violation.
 */
export class StreamReader {
  readonly runId: string
  readonly done: Promise<void>
  /** Ids of the messages that it was told, in order. */
  readonly messageIds: string[] = []
  stopReason: string | undefined
  readonly #world: World
  readonly #chance: Chance
  readonly #finish: () => void
  readonly #texts = new Map<string, string>()
  #cursor = 0
  #session = 0
  #follower: RunFollower | undefined
  #process: SimulatedProcess | undefined
  #isOver = false

  constructor(world: World, chance: Chance, runId: string) {
    this.#world = world
    this.#chance = chance
    this.runId = runId
    const done = Promise.withResolvers<void>()
    this.done = done.promise
    this.#finish = done.resolve
  }

  get isOver(): boolean {
    return this.#isOver
  }
  get cursor(): number {
    return this.#cursor
  }

  /** Where it stands, for whoever looks for what it waits for. */
  describe(): string {
    const { isLive, isPaused, isOver, cursor } = this.#follower ?? {}
    return JSON.stringify({
      runId: this.runId,
      at: this.#cursor,
      on: this.#process?.owner,
      isLive,
      isPaused,
      isOver,
      cursor,
    })
  }

  /** For the process that is asked to start the run. */
  listenFor(process: SimulatedProcess): FollowerListener {
    this.#session += 1
    this.#process = process
    const session = this.#session
    process.onGone(() => {
      if (this.#session === session) void this.#move()
    })
    return (event, seq) => {
      if (this.#session === session && !process.isDead) this.#hear(event, seq)
    }
  }

  /** The run was accepted. */
  accepted(follower: RunFollower | undefined): void {
    this.#follower = follower
  }

  /** Nobody knows whether there is such a run. */
  abandon(): void {
    this.#session += 1
    this.#end()
  }

  follow(process: SimulatedProcess): void {
    const listener = this.listenFor(process)
    const session = this.#session
    const onOver = (reason: 'complete' | 'expired') => {
      if (this.#session !== session || process.isDead) return
      this.#complain(`the stream was over (${reason}) at ${this.#cursor} without an end`)
      this.#end()
    }
    this.#follower = process.engine.follow({
      organizationId: DEFAULT_ORGANIZATION_ID,
      runId: this.runId,
      after: this.#cursor,
      listener,
      onOver,
    })
  }

  /** Cuts the connection, or reads no further for a while. */
  async disturb(): Promise<void> {
    if (this.#isOver || this.#follower === undefined) return
    const follower = this.#follower
    if (this.#chance.happens(0.5)) {
      this.#world.counts.cuts += 1
      follower.close()
      await this.#move()
    } else {
      follower.pause()
      await this.#chance.pause(10)
      follower.resume()
    }
  }

  async #move(): Promise<void> {
    this.#session += 1
    const session = this.#session
    while (!this.#isOver && this.#session === session) {
      const { alive } = this.#world
      if (alive.length > 0) return this.follow(this.#chance.pick(alive))
      await this.#chance.pause()
    }
  }

  #hear(event: RunEvent, seq: number): void {
    if (!isLogged(event)) return
    if (this.#isOver) this.#complain(`${event.type} ${seq} came after the end`)
    else if (!mayFollow(this.#cursor, seq)) this.#complain(`${event.type} ${seq} came after ${this.#cursor}`)
    this.#cursor = seq + spanOf(event) - 1
    if (event.type === 'text-delta') {
      this.#texts.set(event.messageId, (this.#texts.get(event.messageId) ?? '') + event.text)
    } else if (event.type === 'message') {
      const { message } = event
      this.messageIds.push(message.id)
      const stored = message.content.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join('')
      const told = this.#texts.get(message.id) ?? ''
      if (event.hasDeltas && told !== stored) this.#complain(`'${told}' was told, '${stored}' is stored`)
    } else if (event.type === 'run-end') {
      this.stopReason = event.stopReason
      this.#end()
    }
  }

  #end(): void {
    this.#isOver = true
    this.#finish()
  }

  #complain(text: string): void {
    this.#world.violations.push(`reader of ${this.runId}: ${text}`)
  }
}
