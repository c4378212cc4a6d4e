import { setTimeout as sleep } from 'node:timers/promises'
import { errorMessage } from '#platform/errors.ts'
import type { Logger } from '#platform/logger.ts'
import type { Db } from '#store/db.ts'
import { requestCancel } from '#store/runs/cancel-run.ts'
import { claimNextRun, expireForeignLeases, listIdleQueuedThreads, takeOverRuns } from '#store/runs/claim-run.ts'
import { listEndedRuns } from '#store/runs/find-run-end.ts'
import { releaseLeases, renewLeases } from '#store/runs/renew-leases.ts'
import type { ClaimedRun } from '#store/runs/run-row.ts'
import { insertRun, type LeaseTerms, type NewRun } from '#store/runs/start-run.ts'
import type { RunEvent, RunListener } from './run-events.ts'
import { tellRunEnd } from './tell-run-end.ts'

/** A lease lasts four heartbeats: one may be late, and two may be lost. */
const HEARTBEATS_PER_LEASE = 4
/** Pause between looks for abandoned runs: with the lease of 4 s a dead process is replaced within 5 s. */
const REAPER_MS = 1000
const TAKE_OVER_BATCH = 16
/** A run that does not stop by then is left behind at the shutdown: its lease is given back, so it can write no more. */
const HANDOVER_LIMIT_MS = 10_000

/** A queued run that starts while it is being cancelled is asked again as a running one. */
const CANCEL_ATTEMPTS = 20
const CANCEL_PAUSE_MS = 20

/** Why a run's signal was aborted. */
export type AbortReason = 'cancelled' | 'lease-lost' | 'handover'

export interface ExecutionContext {
  run: ClaimedRun
  /** Aborted with an `AbortReason`. */
  signal: AbortSignal
  emit: RunListener
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
  /** Milliseconds after which a run without a sign of life may be taken over; 4 000 unless told. */
  leaseMs?: number
}

const DEFAULT_LEASE_MS = 4000

export interface StartedRun {
  runId: string
  /** False while it waits behind other runs of its thread. */
  isActive: boolean
}

/** Who listens to a run, and the messages they have been told of. */
interface Audience {
  listeners: Set<RunListener>
  told: Set<string>
}

interface LocalRun {
  run: ClaimedRun
  abort: AbortController
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
  readonly #listeners = new Map<string, Audience>()
  /** Runs that somebody here waits for although another process works on them, or none yet. */
  readonly #watched = new Map<string, string>()
  /** The last acceptance under way in each thread. */
  readonly #starting = new Map<string, Promise<void>>()
  readonly #timers: NodeJS.Timeout[] = []
  #isStopping = false
  #isBeating = false
  #reaping: Promise<void> | undefined

  constructor(options: RunEngineOptions) {
    this.#options = options
    this.#lease = { owner: options.owner, leaseMs: options.leaseMs ?? DEFAULT_LEASE_MS }
  }

  /** Begins to work: on an embedded database every lease left is a dead process's, so recovery need not wait. */
  async open(): Promise<void> {
    if (this.#options.db.engine === 'pglite') await expireForeignLeases(this.#options.db, this.#lease.owner)
    const heartbeatMs = this.#lease.leaseMs / HEARTBEATS_PER_LEASE
    this.#timers.push(
      setInterval(() => void this.#beat(), heartbeatMs),
      setInterval(() => void this.#reap(), REAPER_MS),
    )
    await this.#reap()
  }

  get activeCount(): number {
    return this.#local.size
  }

  /** Runs that somebody in this process listens to. */
  get listenedCount(): number {
    return this.#listeners.size
  }

  /**
   * Accepts a run: when this resolves, its input is stored and will be answered, whatever happens to this process.
   * @returns undefined where there is no such thread
   */
  start(run: NewRun, listener?: RunListener): Promise<StartedRun | undefined> {
    // one after the other in a thread: they keep the order in which they came, and a crowd on one thread does not hold all
    // connections of the pool while it waits for the lock on one row
    const thread = 'agentId' in run.thread ? run.thread.agentId : run.thread.conversationId
    const previous = this.#starting.get(thread) ?? Promise.resolve()
    const started = previous.then(() => this.#accept(run, listener))
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

  async #accept(run: NewRun, listener: RunListener | undefined): Promise<StartedRun | undefined> {
    const { runId } = run
    if (listener !== undefined) this.subscribe(runId, listener)
    try {
      const row = await insertRun(this.#options.db, run, this.#lease)
      if (row === undefined) this.#listeners.delete(runId)
      else if (row.is_active) this.#launch(row)
      else if (listener !== undefined) this.#watched.set(runId, run.organizationId)
      return row === undefined ? undefined : { runId, isActive: row.is_active }
    } catch (error) {
      this.#listeners.delete(runId)
      throw error
    }
  }

  /** Calls the listener with every event from now on. The returned function ends that. */
  subscribe(runId: string, listener: RunListener): () => void {
    const audience = this.#listeners.get(runId) ?? { listeners: new Set(), told: new Set() }
    audience.listeners.add(listener)
    this.#listeners.set(runId, audience)
    return () => {
      audience.listeners.delete(listener)
      if (audience.listeners.size === 0) {
        this.#listeners.delete(runId)
        this.#watched.delete(runId)
      }
    }
  }

  /** True if the run was stopped or will be; false if it had ended before. */
  async cancel(organizationId: string, runId: string): Promise<boolean> {
    let outcome = await requestCancel(this.#options.db, organizationId, runId)
    for (let attempt = 1; outcome === 'changing' && attempt <= CANCEL_ATTEMPTS; attempt += 1) {
      await sleep(CANCEL_PAUSE_MS)
      outcome = await requestCancel(this.#options.db, organizationId, runId)
    }
    if (outcome === 'asked') this.#local.get(runId)?.abort.abort('cancelled' satisfies AbortReason)
    return outcome !== 'over'
  }

  /** Resolves when no run of this process is left; used by tests and by the shutdown. */
  async idle(): Promise<void> {
    while (this.#local.size > 0) await Promise.all([...this.#local.values()].map((local) => local.done))
  }

  /** Stops at the next safe point and gives the leases back: what is unfinished is gone on with by the next process. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isStopping = true
    for (const timer of this.#timers) clearInterval(timer)
    for (const local of this.#local.values()) local.abort.abort('handover' satisfies AbortReason)
    // what a look for abandoned runs finds now is launched only to be given back
    await Promise.race([
      this.#reaping?.then(() => this.idle()) ?? this.idle(),
      sleep(HANDOVER_LIMIT_MS, undefined, { ref: false }),
    ])
    await releaseLeases(this.#options.db, this.#lease.owner).catch((error: unknown) => {
      this.#options.logger.warn({ error: errorMessage(error) }, 'leases not released; they end by themselves')
    })
  }

  #emit(runId: string, event: RunEvent): void {
    const audience = this.#listeners.get(runId)
    if (audience === undefined) return
    if (event.type === 'message') {
      // a message is told again by whoever goes on with a run that was interrupted
      if (audience.told.has(event.message.id)) return
      audience.told.add(event.message.id)
    }
    for (const listener of audience.listeners) {
      try {
        listener(event)
      } catch (error) {
        // whoever listens must not stop the work
        this.#options.logger.error({ run_id: runId, error: errorMessage(error) }, 'a listener failed')
      }
    }
    if (event.type === 'run-end') this.#listeners.delete(runId)
  }

  #launch(run: ClaimedRun): void {
    const abort = new AbortController()
    if (run.cancel_requested_at !== null) abort.abort('cancelled' satisfies AbortReason)
    if (this.#isStopping) abort.abort('handover' satisfies AbortReason)
    this.#watched.delete(run.id)
    const local: LocalRun = { run, abort, done: Promise.resolve() }
    this.#local.set(run.id, local)
    local.done = this.#work(run, abort.signal)
  }

  async #work(run: ClaimedRun, signal: AbortSignal): Promise<void> {
    const { execute, logger } = this.#options
    let waiting: number | undefined
    try {
      waiting = await execute({ run, signal, emit: (event) => this.#emit(run.id, event) })
    } catch (error) {
      // the lease ends by itself, and whoever takes the run over tries again
      logger.error({ run_id: run.id, agent_id: run.agent_id, error: errorMessage(error) }, 'run given up')
    } finally {
      this.#local.delete(run.id)
    }
    if (waiting === undefined && this.#listeners.has(run.id)) this.#watched.set(run.id, run.organization_id)
    if (waiting !== undefined && waiting > 0) await this.#startNext(run.organization_id, run.conversation_id)
  }

  async #startNext(organizationId: string, conversationId: string): Promise<void> {
    if (this.#isStopping) return
    try {
      const next = await claimNextRun(this.#options.db, { organizationId, conversationId }, this.#lease)
      if (next !== undefined) this.#launch(next)
    } catch (error) {
      this.#options.logger.warn({ error: errorMessage(error) }, 'next run not started; the reaper will do it')
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
      await this.#takeOver()
      for (const thread of await listIdleQueuedThreads(this.#options.db, TAKE_OVER_BATCH)) {
        await this.#startNext(thread.organization_id, thread.conversation_id)
      }
      await this.#tellEnds()
    } catch (error) {
      this.#options.logger.warn({ error: errorMessage(error) }, 'looking for abandoned runs failed')
    }
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

  /** One statement for all who wait here, and more only for runs that have ended. */
  async #tellEnds(): Promise<void> {
    if (this.#watched.size === 0) return
    const { db } = this.#options
    const watched = [...this.#watched].map(([runId, organizationId]) => ({ organizationId, runId }))
    for (const { organizationId, runId } of await listEndedRuns(db, watched)) {
      await tellRunEnd(db, organizationId, runId, (event) => this.#emit(runId, event))
      this.#watched.delete(runId)
    }
  }
}
