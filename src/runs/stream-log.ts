import type { Clock, Ticker } from '#platform/clock.ts'
import { errorMessage } from '#platform/errors.ts'
import type { Logger } from '#platform/logger.ts'
import type { Db } from '#store/db.ts'
import { appendRunEvents } from '#store/run-events/append-run-events.ts'
import { deleteOldRunEvents, trimRunEvents } from '#store/run-events/delete-run-events.ts'
import type { EventBatch } from '#store/run-events/event-batch.ts'
import { listRunEvents, type RunEventPage } from '#store/run-events/list-run-events.ts'
import { notifyRuns } from '#store/runs/notify-runs.ts'
import type { Lease } from '#store/runs/run-row.ts'
import { firstSeqBefore, follows } from './encode-events.ts'
import { readRunEvents, toEndEvent } from './read-run-events.ts'
import type { FanoutReader, RedisFanout, RemoteRun } from './redis-fanout.ts'
import { retellRun } from './retell-run.ts'
import { type FollowerOptions, RunFollower } from './run-follower.ts'
import { RunLog } from './run-log.ts'

/**
 * Pause between two writes of what was told meanwhile; many runs share one statement. What a crash loses of a message that is not
 * committed is said anew by the next owner, so this is a matter of cost: each write is a row for each run that speaks.
 */
const FLUSH_MS = 500
/** The same while somebody follows on another replica. */
const FOLLOWED_FLUSH_MS = 50
/** Pause between looks for runs that are followed here and worked on elsewhere, where no notification wakes us. */
const POLL_MS = 500
/** How often it is said that a run is followed here: its owner may have changed, or missed it. */
const ANNOUNCE_MS = 2000
const RETENTION_MS = 60_000
const DELETE_BATCH = 5000
/** Of 64 KiB at most each: about what a slow reader takes at once. */
const BATCHES_PER_READ = 8
const FOLLOWERS_PER_READ = 500
/** A notification holds 7 999 bytes. */
const RUN_IDS_PER_NOTIFICATION = 180

export interface StreamLogOptions {
  db: Db
  logger: Logger
  /** Milliseconds that events are kept at least. */
  retentionMs: number
  /** Bytes of events that are kept of one run; of a longer one the beginning is forgotten. */
  maxBytesPerRun: number
  clock: Clock
  /** Carries events to other replicas sooner; closed by whoever made it. */
  fanout?: RedisFanout | undefined
}

/** Batches of a run that are stored, so that the oldest can be dropped when they are too many. */
interface StoredSize {
  bytes: number
  batches: { firstSeq: number; bytes: number }[]
}

/**
 * The streams of all runs: what is told of runs that are worked on here goes to the followers at once and to the database in
 * batches; runs that are worked on elsewhere are read from there. The database always has all of it.
 */
export class StreamLog implements AsyncDisposable, FanoutReader {
  readonly #options: StreamLogOptions
  readonly #logs = new Map<string, RunLog>()
  readonly #followers = new Map<string, Set<RunFollower>>()
  /** Followers of runs that another replica works on, or none. */
  readonly #remote = new Set<RunFollower>()
  readonly #pumping = new Set<RunFollower>()
  readonly #sizes = new Map<string, StoredSize>()
  readonly #timers: Ticker[] = []
  #flushing: Promise<void> | undefined
  #polling: Promise<void> | undefined
  #mustPollAgain = false
  #lastFlushAt = 0
  #announced = new Map<string, number>()

  constructor(options: StreamLogOptions) {
    this.#options = options
  }

  open(): void {
    this.#options.fanout?.open(this)
    const { clock } = this.#options
    this.#timers.push(
      clock.setInterval(() => this.#flushWhenDue(), FOLLOWED_FLUSH_MS),
      clock.setInterval(() => this.#poll(), POLL_MS),
      clock.setInterval(() => this.#forget(), RETENTION_MS),
    )
    for (const timer of this.#timers) timer.unref()
  }

  get followerCount(): number {
    let count = 0
    for (const followers of this.#followers.values()) count += followers.size
    return count
  }

  /** Runs with followers here. */
  get followedCount(): number {
    return this.#followers.size
  }

  /** Begins the log of a run whose lease this process has got; `isNew` when nobody has worked on it before. */
  begin(lease: Lease): RunLog {
    const log = new RunLog(lease)
    // what the run's former owner still says, should it be this process too, is not told any more
    this.#logs.get(lease.runId)?.followers.clear()
    this.#logs.set(lease.runId, log)
    log.onCommit = () => {
      if (log.isFollowedElsewhere) this.#notify('events', [lease.runId])
    }
    log.onTold = (entry) => {
      if (log.isFollowedElsewhere) this.#options.fanout?.publish(lease.runId, entry)
    }
    for (const follower of this.#followers.get(lease.runId) ?? []) {
      log.followers.add(follower)
      this.#remote.delete(follower)
      if (lease.token === 1 && follower.cursor === 0 && !follower.isPaused) follower.isLive = true
      else {
        follower.isLive = false
        void this.#pump(follower)
      }
    }
    return log
  }

  /** The run has ended, or this process has given it up: then its followers read what the next owner writes. */
  close(log: RunLog): void {
    const { runId } = log.lease
    if (this.#logs.get(runId) !== log) return
    this.#logs.delete(runId)
    this.#sizes.delete(runId)
    for (const follower of log.followers) {
      log.followers.delete(follower)
      if (follower.isOver) continue
      follower.isLive = false
      void this.#pump(follower)
    }
  }

  /** Stores what is left of a run that is about to be given up. */
  async store(log: RunLog): Promise<void> {
    if (!log.hasUnstored) return
    const { batches } = await log.seal([])
    await appendRunEvents(
      this.#options.db,
      batches.map((batch) => ({ lease: log.lease, batch })),
    ).catch((error: unknown) => this.#warn(error, 'the last events of a run were not stored'))
  }

  /**
   * Follows a run from the cursor on. One that is about to be started by this process is followed with `isNew`: the caller then
   * says with `awake` that it did, and nothing is read before.
   */
  follow(options: Omit<FollowerOptions, 'onError'>, isNew = false): RunFollower {
    const { runId } = options
    const follower = new RunFollower({
      ...options,
      onError: (error) =>
        this.#options.logger.error({ run_id: runId, error: errorMessage(error) }, 'a listener failed'),
    })
    const followers = this.#followers.get(runId) ?? new Set()
    followers.add(follower)
    this.#followers.set(runId, followers)
    follower.onResume = () => void this.#pump(follower)
    follower.onClose = () => this.#remove(follower)
    if (!isNew) this.awake(follower)
    return follower
  }

  /** False where what comes after the cursor is not kept any more. */
  async canFollow(organizationId: string, runId: string, after: number): Promise<boolean> {
    const log = this.#logs.get(runId)
    if (log?.since(after) !== undefined) return true
    const [page] = await listRunEvents(this.#options.db, [{ organizationId, runId, after }], 1)
    const first = page?.batches[0]
    if (first !== undefined) return follows(after, first.first_seq)
    return after > 0 || page?.run?.completedAt == null
  }

  /** Lets a follower have what there is. */
  awake(follower: RunFollower): void {
    if (follower.isOver || follower.isLive) return
    this.#logs.get(follower.runId)?.followers.add(follower)
    void this.#pump(follower)
  }

  /** What another replica has said: that runs have new events, or that one is followed there. */
  hear(kind: 'events' | 'follow', runIds: readonly string[]): void {
    if (kind === 'follow') {
      for (const runId of runIds) {
        const log = this.#logs.get(runId)
        if (log === undefined || log.isFollowedElsewhere) continue
        log.isFollowedElsewhere = true
        // what comes next follows on this, and this on what is stored
        for (const entry of log.unstored) this.#options.fanout?.publish(runId, entry)
      }
    } else if (runIds.some((runId) => this.#followers.has(runId))) void this.#poll()
  }

  /** Runs of which the fan-out may have news before the database has. */
  listRemoteRuns(): RemoteRun[] {
    const runs = new Map<string, RemoteRun>()
    for (const follower of this.#remote) {
      const { runId, cursor } = follower
      if (follower.isPaused || this.#pumping.has(follower)) continue
      const known = runs.get(runId)
      if (known === undefined || cursor < known.after) runs.set(runId, { runId, after: cursor })
    }
    return [...runs.values()]
  }

  /**
   * Hands on what the fan-out brings, as far as nothing is missing before it; else the database is looked into. A new owner's
   * first event never follows: how much the former one has stored, the database alone knows.
   */
  async deliver(runId: string, batches: readonly EventBatch[]): Promise<boolean> {
    const canHave = (follower: RunFollower) => !(follower.isOver || follower.isPaused || follower.isLive)
    const followers = [...(this.#followers.get(runId) ?? [])].filter(canHave)
    const [anyone] = followers
    if (anyone === undefined) return true
    const after = Math.min(...followers.map(({ cursor }) => cursor))
    const fresh: EventBatch[] = []
    let next = after + 1
    for (const batch of batches) {
      if (batch.last_seq < next) continue
      if (batch.first_seq > next) break
      fresh.push(batch)
      next = batch.last_seq + 1
    }
    const [first] = fresh
    const hasGap = next <= (batches.at(-1)?.last_seq ?? 0)
    if (hasGap) void this.#poll()
    if (first === undefined) return !hasGap
    const entries = await readRunEvents(this.#options.db, anyone.organizationId, runId, fresh)
    for (const follower of followers) {
      if (!canHave(follower) || first.first_seq > follower.cursor + 1) continue
      for (const entry of entries) if (canHave(follower)) follower.deliver(entry)
      if (canHave(follower)) follower.skipTo(next - 1)
    }
    return !hasGap
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const timer of this.#timers) timer[Symbol.dispose]()
    await this.#flushing
    await this.#polling
    for (const followers of [...this.#followers.values()]) for (const follower of [...followers]) follower.close()
  }

  #remove(follower: RunFollower): void {
    const followers = this.#followers.get(follower.runId)
    followers?.delete(follower)
    if (followers?.size === 0) {
      this.#followers.delete(follower.runId)
      this.#announced.delete(follower.runId)
    }
    this.#remote.delete(follower)
    this.#logs.get(follower.runId)?.followers.delete(follower)
  }

  /** Brings a follower to where it can be told what happens, here or by the polls. */
  async #pump(follower: RunFollower): Promise<void> {
    if (this.#pumping.has(follower)) return
    this.#pumping.add(follower)
    try {
      while (!(follower.isOver || follower.isPaused || this.#catchUp(follower))) {
        // before it is read: what former owners have stored is complete only once the run is taken from them
        const log = this.#logs.get(follower.runId)
        const hasMore = await this.#read([follower])
        if (hasMore || follower.isOver || follower.isPaused || this.#logs.get(follower.runId) !== log) continue
        if (log === undefined) {
          this.#remote.add(follower)
          this.#announce([follower])
          return
        }
        // the ranges of former owners are read to their ends
        follower.skipTo(firstSeqBefore(log.lease.token))
        if (log.since(follower.cursor) === undefined) await new Promise((resolve) => setTimeout(resolve, 10))
      }
    } catch (error) {
      this.#warn(error, 'a stream could not be read; tried again')
      if (!follower.isOver) this.#remote.add(follower)
    } finally {
      this.#pumping.delete(follower)
    }
  }

  /** True when the follower has everything that this process has told of the run. */
  #catchUp(follower: RunFollower): boolean {
    const log = this.#logs.get(follower.runId)
    const missing = log?.since(follower.cursor)
    if (log === undefined || missing === undefined) return false
    log.followers.add(follower)
    this.#remote.delete(follower)
    follower.isLive = true
    for (const entry of missing) follower.push(entry)
    return true
  }

  /** Reads what the followers lack; true when one of them may have more to read. */
  async #read(followers: readonly RunFollower[]): Promise<boolean> {
    const { db } = this.#options
    const cursors = followers.map(({ organizationId, runId, cursor }) => ({ organizationId, runId, after: cursor }))
    const pages = await listRunEvents(db, cursors, BATCHES_PER_READ)
    const given = await Promise.all(
      followers.map((follower, index) => this.#give(follower, pages[index] ?? { run: null, batches: [] })),
    )
    return given.includes(true)
  }

  /** Hands a page on; true when there may be more. */
  async #give(follower: RunFollower, page: RunEventPage): Promise<boolean> {
    const { db } = this.#options
    const { organizationId, runId } = follower
    if (page.batches.length > 0) {
      const entries = await readRunEvents(db, organizationId, runId, page.batches)
      const [first] = page.batches
      const isExpired = first !== undefined && !follows(follower.cursor, first.first_seq)
      if (isExpired && follower.giveUp('expired')) return false
      for (const entry of entries) {
        if (follower.isPaused) return true
        follower.deliver(entry)
      }
      follower.skipTo(page.batches.at(-1)?.last_seq ?? 0)
      return page.batches.length === BATCHES_PER_READ
    }
    if (page.run === null) follower.finish([toEndEvent(undefined)])
    else if (page.run.completedAt === null) return false
    // ended, and nothing of it in the log
    if (follower.cursor === 0) follower.finish(await retellRun(db, organizationId, runId))
    follower.giveUp('complete')
    return false
  }

  /** One look for all followers of runs that are not worked on here. */
  #poll(): Promise<void> {
    if (this.#polling !== undefined) {
      this.#mustPollAgain = true
      return this.#polling
    }
    this.#polling = this.#pollRemote().finally(() => {
      this.#polling = undefined
      if (!this.#mustPollAgain) return
      this.#mustPollAgain = false
      void this.#poll()
    })
    return this.#polling
  }

  async #pollRemote(): Promise<void> {
    const followers = [...this.#remote].filter((follower) => !follower.isPaused && !this.#pumping.has(follower))
    if (followers.length === 0) return
    try {
      for (let start = 0; start < followers.length; start += FOLLOWERS_PER_READ) {
        const some = followers.slice(start, start + FOLLOWERS_PER_READ)
        for (const follower of some) this.#pumping.add(follower)
        try {
          if (await this.#read(some)) this.#mustPollAgain = true
        } finally {
          for (const follower of some) {
            this.#pumping.delete(follower)
            // a run that began here meanwhile has taken it out of the polls, and may be over already
            if (this.#logs.has(follower.runId) || !this.#remote.has(follower)) void this.#pump(follower)
          }
        }
      }
      this.#announce(followers)
    } catch (error) {
      this.#warn(error, 'streams could not be read; tried again')
    }
  }

  /** Tells the owners of runs that they are followed here, once in a while. */
  #announce(followers: readonly RunFollower[]): void {
    if (this.#options.db.engine === 'pglite') return
    const now = this.#options.clock.now()
    const runIds = new Set<string>()
    for (const { runId, isOver } of followers) {
      if (isOver || now - (this.#announced.get(runId) ?? Number.NEGATIVE_INFINITY) < ANNOUNCE_MS) continue
      this.#announced.set(runId, now)
      runIds.add(runId)
    }
    this.#notify('follow', [...runIds])
  }

  #notify(kind: 'events' | 'follow', runIds: readonly string[]): void {
    for (let start = 0; start < runIds.length; start += RUN_IDS_PER_NOTIFICATION) {
      const some = runIds.slice(start, start + RUN_IDS_PER_NOTIFICATION)
      // lost ones are made up for by the polls
      notifyRuns(this.#options.db, `${kind} ${some.join(' ')}`).catch(() => {})
    }
  }

  #flushWhenDue(): void {
    const isDue = this.#options.clock.now() - this.#lastFlushAt >= FLUSH_MS
    this.#flushing ??= this.#flush(isDue).finally(() => {
      this.#flushing = undefined
    })
  }

  /** Stores what was told: of all runs, or of those alone that are followed elsewhere. */
  async #flush(isDue: boolean): Promise<void> {
    if (isDue) this.#lastFlushAt = this.#options.clock.now()
    const entries: { lease: Lease; batch: EventBatch }[] = []
    const stored = Promise.withResolvers<void>()
    const announced: string[] = []
    // with the fan-out up, who follows elsewhere has it already
    const isUrgent = this.#options.fanout?.isUp !== true
    for (const log of this.#logs.values()) {
      if (!(isDue || (log.isFollowedElsewhere && isUrgent))) continue
      log.flush((batches) => {
        if (log.isFollowedElsewhere && isUrgent) announced.push(log.lease.runId)
        for (const batch of batches) {
          entries.push({ lease: log.lease, batch })
          this.#trim(log, batch)
        }
        return stored.promise
      })
    }
    if (entries.length > 0) {
      try {
        await appendRunEvents(this.#options.db, entries)
        stored.resolve()
      } catch (error) {
        stored.reject(error)
        this.#warn(error, 'events of runs were not stored; tried again')
      }
    }
    if (announced.length > 0) this.#notify('events', announced)
  }

  #trim({ lease }: RunLog, batch: EventBatch): void {
    const size = this.#sizes.get(lease.runId) ?? { bytes: 0, batches: [] }
    this.#sizes.set(lease.runId, size)
    size.bytes += batch.events.length
    size.batches.push({ firstSeq: batch.first_seq, bytes: batch.events.length })
    if (size.bytes <= this.#options.maxBytesPerRun) return
    while (size.bytes > this.#options.maxBytesPerRun / 2 && size.batches.length > 1) {
      size.bytes -= size.batches.shift()?.bytes ?? 0
    }
    const keptFrom = size.batches[0]?.firstSeq ?? 0
    trimRunEvents(this.#options.db, lease.organizationId, lease.runId, keptFrom).catch((error: unknown) =>
      this.#warn(error, 'the beginning of a long stream was not deleted'),
    )
  }

  async #forget(): Promise<void> {
    const { db, retentionMs } = this.#options
    try {
      let deleted: number
      do deleted = await deleteOldRunEvents(db, retentionMs, DELETE_BATCH)
      while (deleted === DELETE_BATCH)
    } catch (error) {
      this.#warn(error, 'old events were not deleted; tried again in a minute')
    }
  }

  #warn(error: unknown, message: string): void {
    this.#options.logger.warn({ error: errorMessage(error) }, message)
  }
}
