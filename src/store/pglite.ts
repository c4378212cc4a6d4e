import { AsyncLocalStorage } from 'node:async_hooks'
import { realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { copyDatabase, hasDatabase, initializeDatabase, removeDrafts } from './data-directory.ts'
import { lockDataDirectory } from './data-directory-lock.ts'
import type { Db, Queryable, Statement, StatementObserver } from './db.ts'
import { makeDataDirectory } from './make-data-directory.ts'
import { type CommandResult, deallocateAll, type PgliteCommand, PgliteConnection } from './pglite-connection.ts'

export interface PgliteOptions {
  /** The database lies in `<dataDir>/database`; made, with mode 0700, where it is missing. */
  dataDir: string
  /** A prepared database (see pglite-template.ts) that a new one starts as a copy of; without it initdb takes 4-6 s. */
  templateDir?: string | undefined
  onProgress?: ((line: string) => void) | undefined
  onStatement?: StatementObserver | undefined
  /** A statement that runs longer is ended, together with the worker; 60 000 ms unless told. Scripts have no limit. */
  statementLimitMs?: number | undefined
  maintenance?: PgliteMaintenance | undefined
}

interface Waiter {
  /** Keeps all others waiting until it calls `#unlock`. */
  isExclusive: boolean
  start: (connection: PgliteConnection) => void
  fail: (error: unknown) => void
}

const begin: Statement = { name: 'begin', text: 'begin' }
const commit: Statement = { name: 'commit', text: 'commit' }
const rollback: Statement = { name: 'rollback', text: 'rollback' }

/** PGlite has neither checkpointer nor autovacuum: the log would grow without end, and a hot row leaves dead copies. */
export interface PgliteMaintenance {
  intervalMs: number
  /** CHECKPOINT after so many bytes of log, or after so long when anything was written. */
  checkpointAfterBytes: number
  checkpointAfterMs: number
  /** VACUUM of the tables that need it, after so long; ten times later when there was no quiet moment. */
  vacuumAfterMs: number
}

const defaultMaintenance: PgliteMaintenance = {
  intervalMs: 10_000,
  checkpointAfterBytes: 64 * 1024 * 1024,
  checkpointAfterMs: 5 * 60_000,
  vacuumAfterMs: 60_000,
}

const readLogPosition: Statement = {
  name: 'maintenance-log-position',
  text: "select pg_current_wal_insert_lsn() - '0/0'::pg_lsn as bytes",
}
const checkpoint: Statement = { name: 'maintenance-checkpoint', text: 'checkpoint' }
const findVacuumable: Statement = {
  name: 'maintenance-find-vacuumable',
  // autovacuum's own thresholds (autovacuum_*_scale_factor), for the worst table first
  text: `select format('%I.%I', t.schemaname, t.relname) as name
         from pg_stat_user_tables t
         where t.n_dead_tup > 500 + 0.2 * t.n_live_tup or t.n_mod_since_analyze > 500 + 0.1 * t.n_live_tup
         order by t.n_dead_tup + t.n_mod_since_analyze desc
         limit 4`,
}

/** The embedded database: PGlite on disk with one connection, so transactions take turns and statements wait meanwhile. */
export class PgliteDb implements Db {
  readonly engine = 'pglite'
  readonly #directory: string
  readonly #lock: AsyncDisposable
  readonly #onStatement: StatementObserver | undefined
  readonly #statementLimitMs: number
  readonly #maintenance: PgliteMaintenance
  readonly #waiters: Waiter[] = []
  readonly #listeners = new Map<string, Set<(payload: string) => void>>()
  readonly #insideTransaction = new AsyncLocalStorage<{ isOpen: boolean }>()
  readonly #timers: NodeJS.Timeout[]
  #connection: PgliteConnection | undefined
  #isLocked = false
  #isClosed = false
  #logPosition: number | undefined
  #sentSinceMaintenance = 0
  #checkpointAt = performance.now()
  #vacuumedAt = performance.now()
  #isMaintained = false

  private constructor(directory: string, lock: AsyncDisposable, options: PgliteOptions) {
    this.#directory = directory
    this.#lock = lock
    this.#onStatement = options.onStatement
    this.#statementLimitMs = options.statementLimitMs ?? 60_000
    this.#maintenance = options.maintenance ?? defaultMaintenance
    const watch = setInterval(() => this.#endRunaway(), Math.min(1000, this.#statementLimitMs / 4))
    const maintain = setInterval(() => void this.#maintain().catch(() => {}), this.#maintenance.intervalMs)
    this.#timers = [watch.unref(), maintain.unref()]
  }

  /** Opens or makes the database. Throws a `conflict` when another process has it. */
  static async open(options: PgliteOptions): Promise<PgliteDb> {
    await makeDataDirectory(options.dataDir)
    const directory = join(await realpath(options.dataDir), 'database')
    const lock = await lockDataDirectory(directory)
    try {
      const template = options.templateDir === undefined ? undefined : join(options.templateDir, 'database')
      await removeDrafts(directory)
      if (!(await hasDatabase(directory))) {
        if (template !== undefined && (await hasDatabase(template))) {
          options.onProgress?.('preparing a new database')
          await copyDatabase(template, directory)
        } else {
          options.onProgress?.('preparing a new database, about five seconds')
          await initializeDatabase(directory)
        }
      }
      const db = new PgliteDb(directory, lock, options)
      db.#connection = await db.#connect()
      return db
    } catch (error) {
      await lock[Symbol.asyncDispose]()
      throw error
    }
  }

  async query<Row>(statement: Statement, params: readonly unknown[] = []): Promise<Row[]> {
    this.#refuseInsideTransaction()
    const startedAt = performance.now()
    try {
      const [result] = await this.#sendAlone({ statement, params })
      return rowsOf<Row>(result)
    } finally {
      this.#onStatement?.(statement.name, performance.now() - startedAt)
    }
  }

  async execute(script: string): Promise<void> {
    this.#refuseInsideTransaction()
    // scripts change tables, and a prepared statement may not outlive a change of its columns
    const [result, second] = await this.#sendAlone({ script }, deallocateAll)
    rowsOf(result)
    rowsOf(second)
  }

  async maintain(_task: string, commands: readonly string[]): Promise<boolean> {
    for (const command of commands) await this.execute(command)
    return true
  }

  async transaction<Result>(work: (tx: Queryable) => Promise<Result>): Promise<Result> {
    this.#refuseInsideTransaction()
    const connection = await new Promise<PgliteConnection>((resolve, reject) => {
      this.#enqueue({ isExclusive: true, start: resolve, fail: reject })
    })
    const transaction = new PgliteTransaction(connection, this.#onStatement)
    try {
      const result = await this.#insideTransaction.run(transaction, () => work(transaction))
      await transaction.commit()
      return result
    } catch (error) {
      await transaction.rollback()
      throw error
    } finally {
      this.#unlock()
    }
  }

  async listen(channel: string, onNotify: (payload: string) => void): Promise<() => Promise<void>> {
    const listeners = this.#listeners.get(channel) ?? new Set()
    this.#listeners.set(channel, listeners)
    listeners.add(onNotify)
    await this.#sendAlone({ script: `listen ${quoteIdentifier(channel)}` }).then(([result]) => rowsOf(result))
    return async () => {
      listeners.delete(onNotify)
      if (listeners.size > 0 || this.#isClosed) return
      await this.#sendAlone({ script: `unlisten ${quoteIdentifier(channel)}` })
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isClosed) return
    // behind what already waits
    await this.#sendAlone({ statement: checkpoint, params: [] }).catch(() => {})
    this.#isClosed = true
    for (const timer of this.#timers) clearInterval(timer)
    await this.#connection?.close()
    await this.#lock[Symbol.asyncDispose]()
  }

  #refuseInsideTransaction(): void {
    // there is one connection: waiting for it here would wait for ourselves
    if (this.#insideTransaction.getStore()?.isOpen === true) {
      throw new Error('inside a transaction use its `tx`, not the database: the embedded database has one connection')
    }
  }

  #sendAlone(...commands: PgliteCommand[]): Promise<CommandResult[]> {
    return new Promise((resolve, reject) => {
      const hasLimit = commands.every((command) => 'statement' in command && command.statement !== checkpoint)
      this.#enqueue({
        isExclusive: false,
        start: (connection) => connection.send(commands, { hasLimit }).then(resolve, reject),
        fail: reject,
      })
    })
  }

  #enqueue(waiter: Waiter): void {
    if (this.#isClosed) {
      waiter.fail(Object.assign(new Error('the database was closed'), { code: '57P01' }))
      return
    }
    this.#waiters.push(waiter)
    this.#startWaiters()
  }

  #startWaiters(): void {
    while (!this.#isLocked && this.#waiters.length > 0) {
      const connection = this.#connection
      if (connection?.isOpen !== true) {
        this.#reconnect()
        return
      }
      const waiter = this.#waiters.shift() as Waiter
      this.#isLocked = waiter.isExclusive
      this.#sentSinceMaintenance += 1
      try {
        waiter.start(connection)
      } catch (error) {
        // a parameter that cannot be encoded
        this.#isLocked = false
        waiter.fail(error)
      }
    }
  }

  #unlock(): void {
    this.#isLocked = false
    this.#startWaiters()
  }

  #reconnect(): void {
    this.#isLocked = true
    this.#connect().then(
      (connection) => {
        this.#connection = connection
        this.#unlock()
      },
      (error: unknown) => {
        for (const waiter of this.#waiters.splice(0)) waiter.fail(error)
        this.#isLocked = false
      },
    )
  }

  async #connect(): Promise<PgliteConnection> {
    // not before the old worker is gone: two on one directory destroy it
    await this.#connection?.ended()
    const connection = await PgliteConnection.open(this.#directory, (channel, payload) => {
      for (const listener of this.#listeners.get(channel) ?? []) listener(payload)
    })
    const channels = [...this.#listeners.keys()].map((channel) => `listen ${quoteIdentifier(channel)}`)
    if (channels.length > 0) await connection.send([{ script: channels.join(';') }])
    return connection
  }

  /** PGlite has neither statement_timeout nor cancel: a runaway statement ends with its worker. */
  #endRunaway(): void {
    const connection = this.#connection
    if (connection === undefined || connection.runningMs <= this.#statementLimitMs) return
    const limit = `${this.#statementLimitMs / 1000} s`
    const error = new Error(`a statement ran for more than ${limit}; the embedded database was restarted, try again`)
    void connection.terminate(Object.assign(error, { code: '57014' }))
  }

  async #maintain(): Promise<void> {
    const connection = this.#connection
    if (this.#sentSinceMaintenance === 0 || connection?.isOpen !== true || this.#isMaintained) return
    this.#isMaintained = true
    try {
      await this.#checkpointWhenDue()
      const quietMs = performance.now() - this.#vacuumedAt
      const { vacuumAfterMs } = this.#maintenance
      if (quietMs >= vacuumAfterMs * 10 || (quietMs >= vacuumAfterMs && connection.isIdle)) await this.#vacuum()
    } finally {
      this.#isMaintained = false
      this.#sentSinceMaintenance = 0
    }
  }

  async #checkpointWhenDue(): Promise<void> {
    const now = performance.now()
    const position = await this.#readLogPosition()
    const grownBytes = position - (this.#logPosition ?? position)
    this.#logPosition ??= position
    const { checkpointAfterBytes, checkpointAfterMs } = this.#maintenance
    if (grownBytes < checkpointAfterBytes && (grownBytes === 0 || now - this.#checkpointAt < checkpointAfterMs)) return
    rowsOf((await this.#sendAlone({ statement: checkpoint, params: [] }))[0])
    // after it, as it writes to the log itself
    this.#logPosition = await this.#readLogPosition()
    this.#checkpointAt = now
  }

  async #readLogPosition(): Promise<number> {
    const [result] = await this.#sendAlone({ statement: readLogPosition, params: [] })
    return rowsOf<{ bytes: number }>(result)[0]?.bytes ?? 0
  }

  async #vacuum(): Promise<void> {
    this.#vacuumedAt = performance.now()
    const [tables] = await this.#sendAlone({ statement: findVacuumable, params: [] })
    for (const { name } of rowsOf<{ name: string }>(tables)) {
      const [result] = await this.#sendAlone({ script: `vacuum (analyze) ${name}` })
      rowsOf(result)
    }
  }
}

/** What `transaction` hands out. BEGIN travels with the first statement, in one call. */
class PgliteTransaction implements Queryable {
  isOpen = true
  readonly #connection: PgliteConnection
  readonly #onStatement: StatementObserver | undefined
  #hasBegun = false

  constructor(connection: PgliteConnection, onStatement: StatementObserver | undefined) {
    this.#connection = connection
    this.#onStatement = onStatement
  }

  async query<Row>(statement: Statement, params: readonly unknown[] = []): Promise<Row[]> {
    if (!this.isOpen) throw new Error(`the statement ${statement.name} came after the end of its transaction`)
    return rowsOf<Row>(await this.#send(statement, params))
  }

  async commit(): Promise<void> {
    this.isOpen = false
    if (!this.#hasBegun) return
    const result = await this.#send(commit, [])
    rowsOf(result)
    // PostgreSQL answers the commit of a failed transaction with a quiet ROLLBACK
    if ('tag' in result && result.tag === 'ROLLBACK') {
      throw Object.assign(new Error('the transaction was rolled back: one of its statements failed'), { code: '25P02' })
    }
  }

  async rollback(): Promise<void> {
    this.isOpen = false
    if (this.#hasBegun && this.#connection.isOpen) await this.#send(rollback, []).catch(() => {})
  }

  async #send(statement: Statement, params: readonly unknown[]): Promise<CommandResult> {
    const startedAt = performance.now()
    const commands: PgliteCommand[] = [{ statement, params }]
    if (!this.#hasBegun) commands.unshift({ statement: begin, params: [] })
    const sent = this.#connection.send(commands)
    if (!this.#hasBegun) this.#onStatement?.(begin.name, 0)
    this.#hasBegun = true
    try {
      const results = await sent
      return results.at(-1) as CommandResult
    } finally {
      this.#onStatement?.(statement.name, performance.now() - startedAt)
    }
  }
}

function rowsOf<Row>(result: CommandResult | undefined): Row[] {
  if (result === undefined) throw new Error('the embedded database gave no answer')
  if ('error' in result) throw result.error
  return result.rows as Row[]
}

function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}
