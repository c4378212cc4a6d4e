import { setTimeout as sleep } from 'node:timers/promises'
import { type Clock, systemClock, type Ticker } from '#platform/clock.ts'
import { conflict, errorMessage } from '#platform/errors.ts'
import type { Logger } from '#platform/logger.ts'
import type { Db } from '#store/db.ts'
import { requestCancel } from '#store/runs/cancel-run.ts'
import { claimNextRun, expireForeignLeases, takeOverRuns } from '#store/runs/claim-run.ts'
import { listRunsBefore } from '#store/runs/find-thread-owner.ts'
import { listCancelledRuns } from '#store/runs/list-cancelled-runs.ts'
import {
  countWaitingRuns,
  listWaitingThreads,
  NO_CURSOR,
  type WaitingThread,
} from '#store/runs/list-waiting-threads.ts'
import { notifyRuns, RUNS_CHANNEL } from '#store/runs/notify-runs.ts'
import { releaseLease, releaseLeases, renewLeases } from '#store/runs/renew-leases.ts'
import type { ClaimedRun, Lease } from '#store/runs/run-row.ts'
import { insertRun, type LeaseTerms, type NewRun } from '#store/runs/start-run.ts'
import { Admission } from './admission.ts'
import { END_OF_QUEUED_RUN } from './encode-events.ts'
import { findObstacle, isKeyTaken } from './find-original-run.ts'
import type { RedisFanout } from './redis-fanout.ts'
import { isLogged, type RunListener } from './run-events.ts'
import type { FollowerListener, FollowerOptions, RunFollower } from './run-follower.ts'
import type { RunLog } from './run-log.ts'
import { StreamLog } from './stream-log.ts'

/** A lease lasts four heartbeats: one may be late, and two may be lost. */
const HEARTBEATS_PER_LEASE = 4
/** Pause between looks for abandoned runs: with the lease of 3 s a dead process is replaced within 4 s, mostly within 3. */
const REAPER_MS = 500
const TAKE_OVER_BATCH = 16
/** Pause between looks for cancellations: they are obeyed within a second although nobody was told of them. */
const CANCEL_LOOK_MS = 400
/** Others are told that runs wait for room at most so often. */
const CALL_FOR_ROOM_MS = 250
const COUNT_WAITING_MS = 1000
/** Queued runs that one look starts at most; the end of a run brings the next look. */
const CLAIM_BATCH = 16
/** A run that does not stop by then is left behind at the shutdown: its lease is given back, so it can write no more. */
const HANDOVER_LIMIT_MS = 10_000

/** A queued run that starts while it is being cancelled is asked again as a running one. */
const CANCEL_ATTEMPTS = 20
const CANCEL_PAUSE_MS = 20

/** A run is refused when what was in its way is gone again so often. */
const ACCEPT_ATTEMPTS = 5

/** Why a run's signal was aborted. */
export type AbortReason = 'cancelled' | 'lease-lost' | 'handover'

export interface ExecutionContext {
  run: ClaimedRun
  /** Aborted with an `AbortReason`. */
  signal: AbortSignal
  /** Tells what happens; messages and ends are sealed in the log instead, and told when they are committed. */
  emit: RunListener
  log: RunLog
  /** True once this process wants to be rid of its runs: then the run is given up after what is under way. */
  isDraining: () => boolean
}

/**
 * Works on a run until it has ended, and returns how many runs wait behind it; `undefined` where the run was given up
 * without an end (lease lost, hand-over): somebody else goes on with it.
 */
export type RunExecutor = (context: ExecutionContext) => Promise<number | undefined>

export interface RunEngineOptions {
  db: Db
  logger: Logger
  execute: RunExecutor
  /** Unique per process start. */
  owner: string
  /** Milliseconds after which a run without a sign of life may be taken over; 3 000 unless told. */
  leaseMs?: number
  /** Runs that are worked on at once by this process; more wait in the database, for any replica. 1 000 unless told. */
  maxActive?: number
  /** Runs of one tenant that may wait; more are refused. 10 000 unless told. */
  maxQueued?: number
  /** Milliseconds that the events of streams are kept; 3 h unless told. */
  streamRetentionMs?: number
  /** Bytes of events that are kept of one run; 16 MiB unless told. */
  streamMaxBytes?: number
  /** Drives heartbeat, reaper and flush; the machine's unless told. */
  clock?: Clock
  /** Carries events to followers on other replicas; closed by whoever made it. */
  fanout?: RedisFanout | undefined
}

const DEFAULT_LEASE_MS = 3000
const DEFAULT_MAX_ACTIVE = 1000
const DEFAULT_MAX_QUEUED = 10_000
const DEFAULT_STREAM_RETENTION_MS = 3 * 3_600_000
const DEFAULT_STREAM_MAX_BYTES = 16 * 1024 * 1024

export interface StartedRun {
  runId: string
  /** False while it waits behind other runs of its thread, or for room. */
  isActive: boolean
  /** True where a key of the request led to a run that was started before: that one is followed, from its beginning. */
  isRepeated: boolean
  /** What calls the listener. */
  follower: RunFollower | undefined
}

interface LocalRun {
  run: ClaimedRun
  abort: AbortController
  log: RunLog
  done: Promise<void>
}

/**
 * Runs of this process: starts them, keeps their leases alive, takes over those of dead processes, and tells listeners what
 * happens. The truth is in the database; what is here may be lost at any moment.
 */
export class RunEngine implements AsyncDisposable {
  readonly #options: RunEngineOptions
  readonly #lease: LeaseTerms
  readonly #local = new Map<string, LocalRun>()
  readonly streams: StreamLog
  /** The last acceptance under way in each thread. */
  readonly #starting = new Map<string, Promise<void>>()
  readonly #timers: Ticker[] = []
  #isStopping = false
  #isDraining = false
  readonly #admission: Admission
  #waitingCursor = NO_CURSOR
  #filling: Promise<void> | undefined
  #wantsFill = false
  #isCalling = false
  #mustCallAgain = false
  #isCounting = false
  #isLooking = false
  #stopListening: (() => Promise<void>) | undefined
  #isBeating = false
  #reaping: Promise<void> | undefined

  constructor(options: RunEngineOptions) {
    this.#options = options
    this.#lease = { owner: options.owner, leaseMs: options.leaseMs ?? DEFAULT_LEASE_MS }
    const { maxActive = DEFAULT_MAX_ACTIVE, maxQueued = DEFAULT_MAX_QUEUED } = options
    this.#admission = new Admission({ maxActive, maxQueued })
    this.streams = new StreamLog({
      db: options.db,
      logger: options.logger,
      retentionMs: options.streamRetentionMs ?? DEFAULT_STREAM_RETENTION_MS,
      maxBytesPerRun: options.streamMaxBytes ?? DEFAULT_STREAM_MAX_BYTES,
      fanout: options.fanout,
      clock: options.clock ?? systemClock,
    })
  }

  /** Begins to work: on an embedded database every lease left is a dead process's, so recovery need not wait. */
  async open(): Promise<void> {
    if (this.#options.db.engine === 'pglite') await expireForeignLeases(this.#options.db, this.#lease.owner)
    const heartbeatMs = this.#lease.leaseMs / HEARTBEATS_PER_LEASE
    const { clock = systemClock } = this.#options
    this.#timers.push(
      clock.setInterval(() => this.#beat(), heartbeatMs),
      clock.setInterval(() => this.#reap(), REAPER_MS),
      clock.setInterval(() => this.#countWaiting(), COUNT_WAITING_MS),
    )
    if (this.#options.db.engine === 'postgres' && heartbeatMs > CANCEL_LOOK_MS) {
      this.#timers.push(clock.setInterval(() => this.#lookForCancellations(), CANCEL_LOOK_MS))
    }
    this.streams.open()
    // one process alone has nobody to hear from
    if (this.#options.db.engine === 'postgres') {
      this.#stopListening = await this.#options.db.listen(RUNS_CHANNEL, (payload) => this.#hear(payload))
    }
    await this.#reap()
  }

  get activeCount(): number {
    return this.#local.size
  }

  /** Runs that somebody in this process follows. */
  get listenedCount(): number {
    return this.streams.followedCount
  }

  /**
   * Accepts a run: when this resolves, its input is stored and will be answered, whatever happens to this process. A run that
   * is there already, by its keys, is followed instead; `onOver` is for that one, as in `follow`.
   * @returns undefined where there is no such thread
   */
  start(run: NewRun, listener?: FollowerListener, onOver?: FollowerOptions['onOver']): Promise<StartedRun | undefined> {
    // one after the other in a thread: they keep the order in which they came, and a crowd on one thread does not hold all
    // connections of the pool while it waits for the lock on one row
    const thread = 'agentId' in run.thread ? run.thread.agentId : run.thread.conversationId
    const previous = this.#starting.get(thread) ?? Promise.resolve()
    const started = previous.then(() => this.#accept(run, listener, onOver))
    const settled = started.then(
      () => {},
      () => {},
    )
    this.#starting.set(thread, settled)
    void settled.then(() => {
      if (this.#starting.get(thread) === settled) this.#starting.delete(thread)
    })
    return started
  }

  async #accept(
    run: NewRun,
    listener: FollowerListener | undefined,
    onOver: FollowerOptions['onOver'],
  ): Promise<StartedRun | undefined> {
    const { db } = this.#options
    for (let attempt = 1; attempt <= ACCEPT_ATTEMPTS; attempt += 1) {
      const started = await this.#insert(run, listener)
      if (typeof started === 'object') {
        if (run.onBusy === 'interrupt' && !started.isActive) await this.#interruptFor(run.organizationId, run.runId)
        return started
      }
      // a thread that is not there costs no further statement
      if (started === 'refused' && run.onBusy !== 'reject' && (run.keys ?? []).length === 0) return undefined
      const obstacle = await findObstacle(db, run, started === 'key-taken')
      if (obstacle === 'no-thread') return undefined
      if (obstacle === 'nothing') continue
      const { organizationId } = run
      const runId = obstacle.original
      if (run.onBusy === 'interrupt') await this.#interruptFor(organizationId, runId)
      const follower =
        listener === undefined ? undefined : this.follow({ organizationId, runId, after: 0, listener, onOver })
      return { runId, isActive: true, isRepeated: true, follower }
    }
    throw conflict('CONFLICT: Other requests kept this conversation busy. Try again.', { retryAfterSeconds: 1 })
  }

  async #insert(run: NewRun, listener: FollowerListener | undefined): Promise<StartedRun | 'refused' | 'key-taken'> {
    const { organizationId, runId } = run
    this.#admission.refuseExcess(organizationId)
    const follower =
      listener === undefined ? undefined : this.streams.follow({ organizationId, runId, after: 0, listener }, true)
    const canStart = this.#canStart(run.background)
    const kind = { organization_id: organizationId, background: run.background }
    // the room is kept for it meanwhile: many can come at once
    if (canStart) this.#admission.enter(kind)
    try {
      const row = await insertRun(this.#options.db, run, this.#lease, canStart)
      if (row === undefined) {
        follower?.close()
        return 'refused'
      }
      if (row.is_active) this.#launch(row)
      else {
        this.#noteQueued(run)
        if (follower !== undefined) this.streams.awake(follower)
      }
      return { runId, isActive: row.is_active, isRepeated: false, follower }
    } catch (error) {
      follower?.close()
      if (isKeyTaken(error)) return 'key-taken'
      throw error
    } finally {
      if (canStart) this.#leave(kind)
    }
  }

  /** Ends what a run waits for, the last first, so that nothing of it starts meanwhile. */
  async #interruptFor(organizationId: string, runId: string): Promise<void> {
    try {
      for (const before of await listRunsBefore(this.#options.db, organizationId, runId)) {
        await this.cancel(organizationId, before)
      }
    } catch (error) {
      // it is accepted, and waits instead
      this.#options.logger.warn(
        { run_id: runId, error: errorMessage(error) },
        'the runs before it were not interrupted',
      )
    }
  }

  #canStart(isBackground: boolean): boolean {
    return !(this.#isDraining || this.#isStopping) && this.#admission.canStart(isBackground)
  }

  /** Room that was kept is free again, or used by the run it was kept for. */
  #leave(kind: Parameters<Admission['leave']>[0]): void {
    const wasFull = this.#admission.room === 0
    this.#admission.leave(kind)
    if (wasFull && this.#admission.room > 0 && this.#admission.backlog !== 'none') void this.#fill()
  }

  /** A run waits. If it is for room, others may have some. */
  #noteQueued({ organizationId, background }: NewRun): void {
    this.#admission.noteQueued(organizationId)
    if (this.#canStart(background)) return
    if (this.#admission.room === 0) this.#admission.backlog = 'any'
    else void this.#fill()
    this.#callForRoom()
  }

  /** Tells the others that runs wait for room: at once, and while there are ever more of them a few times a second. */
  #callForRoom(): void {
    if (this.#isCalling) {
      this.#mustCallAgain = true
      return
    }
    this.#isCalling = true
    this.#mustCallAgain = false
    this.#notify('work')
    void sleep(CALL_FOR_ROOM_MS, undefined, { ref: false }).then(() => {
      this.#isCalling = false
      if (this.#mustCallAgain && !this.#isStopping) this.#callForRoom()
    })
  }

  /** How many wait, for the decision whether more are accepted. */
  async #countWaiting(): Promise<void> {
    if (!this.#admission.hasWaiting || this.#isCounting) return
    this.#isCounting = true
    try {
      this.#admission.noteCounts(await countWaitingRuns(this.#options.db))
    } catch (error) {
      this.#options.logger.warn({ error: errorMessage(error) }, 'waiting runs not counted')
    } finally {
      this.#isCounting = false
    }
  }

  /** Follows a run of any replica: what was told after `after`, then what happens. See `StreamLog.follow`. */
  follow(options: Omit<FollowerOptions, 'onError'>): RunFollower {
    return this.streams.follow(options)
  }

  /** True if the run was stopped or will be; false if it had ended before. */
  async cancel(organizationId: string, runId: string): Promise<boolean> {
    let outcome = await requestCancel(this.#options.db, organizationId, runId, END_OF_QUEUED_RUN)
    for (let attempt = 1; outcome === 'changing' && attempt <= CANCEL_ATTEMPTS; attempt += 1) {
      await sleep(CANCEL_PAUSE_MS)
      outcome = await requestCancel(this.#options.db, organizationId, runId, END_OF_QUEUED_RUN)
    }
    if (outcome === 'asked') {
      const local = this.#local.get(runId)
      if (local === undefined) this.#notify(`cancel ${runId}`)
      else local.abort.abort('cancelled' satisfies AbortReason)
    }
    return outcome !== 'over'
  }

  /** Resolves when no run of this process is left; used by tests and by the shutdown. */
  async idle(): Promise<void> {
    while (this.#local.size > 0) await Promise.all([...this.#local.values()].map((local) => local.done))
  }

  /**
   * Takes no more runs, and gives up those that it has after the step or the tool call under way; other replicas go on with
   * them at once. Resolves when none is left, which can take as long as a model's answer.
   */
  async drain(): Promise<void> {
    this.#isDraining = true
    await this.#reaping
    await this.#filling
    await this.idle()
  }

  /** Stops at once and gives the leases back: what is unfinished is gone on with by the next process. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isStopping) return
    this.#isStopping = true
    for (const timer of this.#timers) timer[Symbol.dispose]()
    for (const local of this.#local.values()) local.abort.abort('handover' satisfies AbortReason)
    // what a look for abandoned runs finds now is launched only to be given back
    await Promise.race([
      Promise.all([this.#reaping, this.#filling]).then(() => this.idle()),
      sleep(HANDOVER_LIMIT_MS, undefined, { ref: false }),
    ])
    await releaseLeases(this.#options.db, this.#lease.owner).catch((error: unknown) => {
      this.#options.logger.warn({ error: errorMessage(error) }, 'leases not released; they end by themselves')
    })
    if (this.#options.db.engine === 'postgres') await notifyRuns(this.#options.db, 'work').catch(() => {})
    await this.#stopListening?.()
    await this.streams[Symbol.asyncDispose]()
  }

  /** What another replica says; only hints, since what is not heard is found by the heartbeat and the reaper. */
  #hear(payload: string): void {
    const [kind, ...runIds] = payload.split(' ')
    if (kind === 'events' || kind === 'follow') this.streams.hear(kind, runIds)
    else if (kind === 'work') void this.#reap()
    else if (kind === 'cancel') {
      for (const runId of runIds) this.#local.get(runId)?.abort.abort('cancelled' satisfies AbortReason)
    }
  }

  #notify(payload: string): void {
    if (this.#options.db.engine === 'pglite') return
    notifyRuns(this.#options.db, payload).catch(() => {})
  }

  #launch(run: ClaimedRun): void {
    const former = this.#local.get(run.id)
    if (former !== undefined) {
      // a look around that began before takes over our own run, when its lease is over by then; the newer token counts
      if (former.run.lease_token > run.lease_token) return
      former.abort.abort('lease-lost' satisfies AbortReason)
    }
    const abort = new AbortController()
    if (run.cancel_requested_at !== null) abort.abort('cancelled' satisfies AbortReason)
    if (this.#isStopping) abort.abort('handover' satisfies AbortReason)
    const log = this.streams.begin({ organizationId: run.organization_id, runId: run.id, token: run.lease_token })
    const local: LocalRun = { run, abort, log, done: Promise.resolve() }
    this.#local.set(run.id, local)
    this.#admission.enter(run)
    local.done = this.#work(local)
  }

  async #work(local: LocalRun): Promise<void> {
    const { run, abort, log } = local
    const { execute, logger } = this.#options
    let waiting: number | undefined
    try {
      waiting = await execute({
        run,
        signal: abort.signal,
        emit: (event) => (isLogged(event) ? log.append(event) : log.mention(event)),
        log,
        isDraining: () => this.#isDraining,
      })
    } catch (error) {
      // the lease ends by itself, and whoever takes the run over tries again
      logger.error({ run_id: run.id, agent_id: run.agent_id, error: errorMessage(error) }, 'run given up')
    }
    if (waiting === undefined) await this.streams.store(log)
    if (this.#local.get(run.id) === local) this.#local.delete(run.id)
    this.#admission.leave(run)
    this.streams.close(log)
    if (waiting === undefined) await this.#handOver(log.lease)
    else if (this.#admission.backlog !== 'none') {
      // the next run of this thread waits its turn among those of all threads
      void this.#fill()
      if (waiting > 0 && this.#isDraining) this.#notify('work')
    } else if (waiting > 0) await this.#startNext(run)
  }

  /** Gives one run back, so that others need not wait until its lease is over. */
  async #handOver(lease: Lease): Promise<void> {
    if (!this.#isDraining || this.#isStopping) return
    try {
      await releaseLease(this.#options.db, lease)
      this.#notify('work')
    } catch (error) {
      this.#options.logger.warn({ error: errorMessage(error) }, 'lease not released; it ends by itself')
    }
  }

  /** True if it did. */
  async #startNext(
    thread: Pick<WaitingThread, 'organization_id' | 'conversation_id' | 'background'>,
  ): Promise<boolean> {
    if (this.#isDraining || this.#isStopping || this.#admission.room === 0) {
      this.#callForRoom()
      return false
    }
    const { organization_id: organizationId, conversation_id: conversationId } = thread
    this.#admission.enter(thread)
    try {
      const next = await claimNextRun(this.#options.db, { organizationId, conversationId }, this.#lease)
      if (next !== undefined) this.#launch(next)
      return next !== undefined
    } catch (error) {
      this.#options.logger.warn({ error: errorMessage(error) }, 'next run not started; the reaper will do it')
      return false
    } finally {
      this.#admission.leave(thread)
    }
  }

  /** What a cancellation on another replica did not tell us: its word can get lost, and a pooler may carry none. */
  async #lookForCancellations(): Promise<void> {
    if (this.#isLooking || this.#local.size === 0) return
    this.#isLooking = true
    try {
      for (const runId of await listCancelledRuns(this.#options.db, this.#lease.owner)) {
        this.#local.get(runId)?.abort.abort('cancelled' satisfies AbortReason)
      }
    } catch {
      // the heartbeat, which looks too, says that the database is away
    } finally {
      this.#isLooking = false
    }
  }

  /** Renews all leases with one statement and learns of cancellations and losses. */
  async #beat(): Promise<void> {
    if (this.#isBeating || this.#local.size === 0) return
    this.#isBeating = true
    try {
      const held = [...this.#local.values()].map(({ run }) => ({
        organizationId: run.organization_id,
        runId: run.id,
        token: run.lease_token,
      }))
      const renewed = await Promise.race([
        renewLeases(this.#options.db, held, this.#lease.leaseMs),
        // a connection that died without a word must not hold up the beats that would go over another one
        sleep(this.#lease.leaseMs / 2, undefined, { ref: false }).then(() => {
          throw new Error('the database did not answer in half a lease')
        }),
      ])
      const kept = new Map(renewed.map((row) => [row.id, row]))
      for (const { runId, token } of held) {
        const local = this.#local.get(runId)
        if (local === undefined || local.run.lease_token !== token) continue
        const row = kept.get(runId)
        if (row === undefined) local.abort.abort('lease-lost' satisfies AbortReason)
        else if (row.is_cancel_requested) local.abort.abort('cancelled' satisfies AbortReason)
      }
    } catch (error) {
      this.#options.logger.warn({ error: errorMessage(error) }, 'heartbeat failed')
    } finally {
      this.#isBeating = false
    }
  }

  /** Looks for what dead processes left and for the ends of runs that are worked on elsewhere; one look at a time. */
  #reap(): Promise<void> {
    if (this.#isStopping) return Promise.resolve()
    this.#reaping ??= this.#lookAround().finally(() => {
      this.#reaping = undefined
    })
    return this.#reaping
  }

  async #lookAround(): Promise<void> {
    try {
      if (this.#isDraining) return
      await this.#takeOver()
      await this.#fill()
    } catch (error) {
      this.#options.logger.warn({ error: errorMessage(error) }, 'looking for abandoned runs failed')
    }
  }

  /** Starts runs that wait for room; one look at a time, and one more where something happened during the last. */
  #fill(): Promise<void> {
    this.#wantsFill = true
    this.#filling ??= this.#fillRoom()
    return this.#filling
  }

  async #fillRoom(): Promise<void> {
    // a run that ends before this is kept in `#filling` would be missed
    await Promise.resolve()
    while (this.#wantsFill && !this.#isStopping && !this.#isDraining) {
      this.#wantsFill = false
      try {
        if (await this.#startQueued()) this.#wantsFill = true
      } catch (error) {
        this.#options.logger.warn({ error: errorMessage(error) }, 'looking for runs that wait failed')
      }
    }
    this.#filling = undefined
  }

  /**
   * Starts runs that wait although nothing is before them in their threads: while there was no room, or nobody minded them.
   * @returns true where there may be more to start
   */
  async #startQueued(): Promise<boolean> {
    const admission = this.#admission
    if (admission.room === 0) {
      admission.backlog = 'any'
      return false
    }
    const { threads, cursor } = await listWaitingThreads(this.#options.db, this.#waitingCursor)
    this.#waitingCursor = cursor
    const chosen = admission.pick(threads, CLAIM_BATCH)
    const left = threads.filter((thread) => !chosen.includes(thread))
    admission.backlog = left.some((thread) => !thread.background) ? 'any' : left.length > 0 ? 'background' : 'none'
    const started = await Promise.all(chosen.map((thread) => this.#startNext(thread)))
    return started.includes(true) && admission.room > 0
  }

  async #takeOver(): Promise<void> {
    const { db, logger } = this.#options
    let taken: ClaimedRun[]
    do {
      taken = await takeOverRuns(db, this.#lease, [...this.#local.keys()], TAKE_OVER_BATCH)
      for (const run of taken) {
        logger.info({ run_id: run.id, agent_id: run.agent_id, lease_token: run.lease_token }, 'run taken over')
        this.#launch(run)
      }
    } while (taken.length === TAKE_OVER_BATCH && !this.#isStopping)
  }
}
