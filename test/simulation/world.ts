import { type Db, statement } from '#store/db.ts'
import { Chance } from './chance.ts'
import { Journal } from './journal.ts'
import type { SimulatedProcess } from './simulated-process.ts'

export interface Counts {
  statements: number
  lostStatements: number
  lostAnswers: number
  lateStatements: number
  crashes: number
  drains: number
  stops: number
  expiries: number
  cancels: number
  modelCalls: number
  modelErrors: number
  cuts: number
}

export const noCounts = (): Counts => ({
  statements: 0,
  lostStatements: 0,
  lostAnswers: 0,
  lateStatements: 0,
  crashes: 0,
  drains: 0,
  stops: 0,
  expiries: 0,
  cancels: 0,
  modelCalls: 0,
  modelErrors: 0,
  cuts: 0,
})

/** One call of a model, as its provider saw it. */
export interface ModelCall {
  process: SimulatedProcess
  /** The message that was to be answered. */
  text: string
  signal: AbortSignal
  outcome: 'unfinished' | 'answered' | 'failed' | 'broken'
}

const MAX_CRASHES = 4

/** All that the actors of one seed share. */
export class World {
  readonly seed: number
  readonly db: Db
  readonly chance: Chance
  readonly journal = new Journal()
  readonly counts = noCounts()
  readonly violations: string[] = []
  readonly processes: SimulatedProcess[] = []
  readonly agentIds: string[] = []
  /** By number, which is also the number of input tokens. */
  readonly modelCalls = new Map<number, ModelCall>()
  /** How likely a fault is at one statement. */
  readonly faultRate: number
  /** No faults any more. */
  isCalm = false
  /** Statements that are under way in the real database. */
  inFlight = 0
  /** When what happened to clients happened, in their order. */
  #moment = 0

  constructor(db: Db, seed: number) {
    this.seed = seed
    this.db = db
    const chance = new Chance(`seed ${seed}`)
    this.chance = chance
    this.faultRate = chance.pick([0.03, 0.06, 0.12])
  }

  tick(): number {
    this.#moment += 1
    return this.#moment
  }

  get alive(): SimulatedProcess[] {
    return this.processes.filter((process) => process.isAlive)
  }

  canCrash(): boolean {
    return !this.isCalm && this.counts.crashes < MAX_CRASHES
  }

  /** Lets the leases of these processes run out; gives how many there were. */
  async expire(owners: readonly string[]): Promise<number> {
    const rows = await this.db.query(expireOwners, [owners])
    return rows.length
  }
}

const expireOwners = statement(
  'sim-expire-owners',
  `update runs set lease_expires_at = '-infinity' where status = 'running' and lease_owner = any($1::text[])
     and lease_expires_at > now() returning id`,
)
