import { createRunLoop } from '#agent/run-loop.ts'
import type { Clock } from '#platform/clock.ts'
import { createLogger } from '#platform/logger.ts'
import { RunEngine } from '#runs/run-engine.ts'
import type { Db, Queryable, Statement } from '#store/db.ts'
import { testModelRegistry } from '../support/test-models.ts'
import type { Chance } from './chance.ts'
import { simulatedStream } from './simulated-model.ts'
import type { World } from './world.ts'

/** Long enough that no lease ends by itself: the simulation ends them. */
export const LEASE_MS = 30_000
/** A quarter of it, and no other loop has this period. */
const HEARTBEAT_MS = LEASE_MS / 4
const CRASH_RATE = 0.006
const LOST_NOTIFICATIONS = 0.4
/** Loops of this period are due now and then only. */
const SELDOM_MS = 60_000
const SELDOM = 0.05

const logger = createLogger({ level: 'silent', format: 'json' })

interface Loop {
  work: () => unknown
  periodMs: number
}

/** What whoever waits for a process gets when it dies. */
export class ProcessGone extends Error {}

/**
 * A server process: a real engine and a real loop, whose database, model and clock do what the simulation wants. After a crash
 * each of its awaits waits for ever, so nothing of it goes on, except for statements that are on the way already.
 */
export class SimulatedProcess {
  readonly owner: string
  readonly engine: RunEngine
  readonly gone: Promise<never>
  readonly #world: World
  readonly #chance: Chance
  readonly #clockChance: Chance
  readonly #loops = new Set<Loop>()
  readonly #goneCallbacks = new Set<() => void>()
  readonly #die: (error: Error) => void
  #now = 0
  #state: 'alive' | 'stopping' | 'stopped' | 'dead' = 'alive'

  constructor(world: World) {
    this.#world = world
    this.owner = `p${world.processes.push(this)}`
    this.#chance = world.chance.fork(this.owner)
    this.#clockChance = this.#chance.fork('clock')
    const gone = Promise.withResolvers<never>()
    this.gone = gone.promise
    this.#die = gone.reject
    this.gone.catch(() => {})
    const db = this.#openDb(world.db)
    const models = testModelRegistry((request) => simulatedStream(world, this, request))
    this.engine = new RunEngine({
      db,
      logger,
      owner: this.owner,
      leaseMs: LEASE_MS,
      clock: this.#clock(),
      ...(this.#chance.happens(0.2) ? { maxActive: 1 + this.#chance.below(2) } : {}),
      execute: createRunLoop({ db, models, logger, maxContextWindow: 128_000 }),
    })
  }

  get state(): string {
    return this.#state
  }
  get isAlive(): boolean {
    return this.#state === 'alive'
  }
  get isDead(): boolean {
    return this.#state === 'dead'
  }

  /** Kills it: nothing of it is heard any more. */
  crash(): void {
    if (this.#state === 'dead' || this.#state === 'stopped') return
    this.#state = 'dead'
    this.#world.counts.crashes += 1
    this.#leave()
  }

  /** Leaves an idle process behind when the seed is over. */
  abandon(): void {
    if (this.isDead) return
    this.#state = 'dead'
    this.#leave()
  }

  async stop(isGentle: boolean): Promise<void> {
    if (!this.isAlive) return
    this.#state = 'stopping'
    if (isGentle) await this.orGone(this.engine.drain())
    await this.orGone(this.engine[Symbol.asyncDispose]())
    this.#state = 'stopped'
    this.#leave()
  }

  /** What a promise of its gives, unless it dies before. */
  orGone<Value>(promise: Promise<Value>): Promise<Value> {
    promise.catch(() => {})
    return Promise.race([promise, this.gone])
  }

  onGone(callback: () => void): void {
    if (this.#state === 'dead' || this.#state === 'stopped') callback()
    else this.#goneCallbacks.add(callback)
  }

  /** Time goes on, and some loop is due. */
  async tick(): Promise<void> {
    this.#now += this.#clockChance.pick([0, 50, 250, 3000])
    const isSeldom = this.#clockChance.happens(SELDOM)
    const loops = [...this.#loops].filter(({ periodMs }) => isSeldom || periodMs < SELDOM_MS)
    if (loops.length > 0) await this.orGone(Promise.resolve(this.#clockChance.pick(loops).work()))
  }

  /** The heartbeat alone. */
  async beat(): Promise<void> {
    for (const { work, periodMs } of [...this.#loops]) {
      if (periodMs === HEARTBEAT_MS) await this.orGone(Promise.resolve(work()))
    }
  }

  /** All loops once. */
  async tickAll(): Promise<void> {
    this.#now += 1000
    for (const { work, periodMs } of [...this.#loops]) {
      if (periodMs < SELDOM_MS) await this.orGone(Promise.resolve(work()))
    }
  }

  /** A point at which it may wait or die. */
  async step(chance: Chance): Promise<void> {
    await chance.pause()
    this.#mayCrash(chance)
    if (this.isDead) await forever()
  }

  #leave(): void {
    for (const callback of this.#goneCallbacks) callback()
    this.#goneCallbacks.clear()
    this.#loops.clear()
    this.#die(new ProcessGone(`${this.owner} is gone`))
  }

  #clock(): Clock {
    return {
      now: () => this.#now,
      setInterval: (work, periodMs) => {
        const loop = { work, periodMs }
        this.#loops.add(loop)
        return { unref: () => {}, [Symbol.dispose]: () => void this.#loops.delete(loop) }
      },
    }
  }

  #openDb(inner: Db): Db {
    return {
      // the embedded engine is told that it has peers: here it has
      engine: 'postgres',
      query: (statement, params) => this.#query(inner, statement, params ?? [], true),
      transaction: async (work) => {
        if (this.isDead) return forever()
        try {
          return await inner.transaction((tx) =>
            work({ query: (statement, params) => this.#query(tx, statement, params ?? [], false) }),
          )
        } catch (error) {
          if (this.isDead) return forever()
          throw error
        }
      },
      execute: (script) => inner.execute(script),
      maintain: (task, commands) => inner.maintain(task, commands),
      listen: async (channel, onNotify) => {
        const chance = this.#chance.fork('listen')
        const stop = await inner.listen(channel, (payload) => {
          if (this.isDead || chance.happens(LOST_NOTIFICATIONS)) return
          void chance.pause().then(() => {
            if (!this.isDead) onNotify(payload)
          })
        })
        this.onGone(() => void stop().catch(() => {}))
        return stop
      },
      [Symbol.asyncDispose]: async () => {},
    }
  }

  async #query<Row>(inner: Queryable, statement: Statement, params: readonly unknown[], isAlone: boolean) {
    this.#world.inFlight += 1
    let rows: Row[] | typeof SILENCE
    try {
      rows = await this.#send<Row>(inner, statement, params, isAlone)
    } finally {
      this.#world.inFlight -= 1
    }
    if (rows !== SILENCE) return rows
    // within a transaction the connection is to be given back: an error does that
    if (!isAlone) throw new ProcessGone(`${this.owner} is gone`)
    return forever()
  }

  /** Sends a statement through everything that can happen to it; nothing comes back to a process that is dead by then. */
  async #send<Row>(
    inner: Queryable,
    statement: Statement,
    params: readonly unknown[],
    isAlone: boolean,
  ): Promise<Row[] | typeof SILENCE> {
    const world = this.#world
    const chance = this.#chance
    if (this.isDead) return SILENCE
    await chance.pause()
    if (this.isDead) {
      // what is on the way may still arrive, long after the process has died
      if (!isAlone || chance.happens(0.5)) return SILENCE
      world.counts.lateStatements += 1
      await chance.pause(20)
    }
    const fault = world.isCalm ? 'none' : chooseFault(chance, world.faultRate)
    if (fault === 'lost') {
      world.counts.lostStatements += 1
      throw lost()
    }
    const wasAlive = !this.isDead
    this.#mayCrash(chance)
    if (wasAlive && this.isDead) return SILENCE
    world.counts.statements += 1
    const answered = world.journal.send(statement, params, this.owner)
    let rows: Row[]
    try {
      rows = await inner.query<Row>(statement, params)
    } catch (error) {
      if (this.isDead) return SILENCE
      throw error
    }
    answered(rows as readonly object[])
    this.#mayCrash(chance)
    await chance.pause()
    if (this.isDead) return SILENCE
    if (fault === 'answer-lost') {
      world.counts.lostAnswers += 1
      throw lost()
    }
    return rows
  }

  #mayCrash(chance: Chance): void {
    if (this.#world.canCrash() && chance.happens(CRASH_RATE)) this.crash()
  }
}

/** What a dead process gets. */
const SILENCE = Symbol('silence')

function chooseFault(chance: Chance, rate: number): 'none' | 'lost' | 'answer-lost' {
  if (!chance.happens(rate)) return 'none'
  return chance.happens(0.4) ? 'lost' : 'answer-lost'
}

const forever = (): Promise<never> => new Promise(() => {})

const lost = (): Error => Object.assign(new Error('Connection terminated unexpectedly'), { code: '08006' })
