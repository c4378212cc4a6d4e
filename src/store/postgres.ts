import pg from 'pg'
import { DomainError } from '#platform/errors.ts'
import { columnParser } from './column-type.ts'
import { isConnectionLost, sqlState } from './database-error.ts'
import type { Db, Queryable, Statement, StatementObserver } from './db.ts'
import { hangUp } from './hang-up.ts'
import { toParameter } from './parameter.ts'
import { PostgresListener } from './postgres-listener.ts'
import { requirePrimary } from './require-primary.ts'
import { ServerWatch, type WatchedSession } from './server-watch.ts'

export interface PostgresOptions {
  url: string
  poolSize?: number | undefined
  onStatement?: StatementObserver | undefined
  applicationName?: string | undefined
  statementLimitMs?: number | undefined
}

// Longer waits only move the queue from here into the clients' time-outs.
const CONNECT_TIMEOUT_MS = 5000
/** A connection at rest whose server vanished without a word is found dead after this and ten probes, one a second. */
const KEEP_ALIVE_AFTER_MS = 5000
/** Rolled back by PostgreSQL so that another transaction could go on: serialization failure, deadlock. */
const VICTIM_STATES = new Set(['40001', '40P01'])
const MAX_ATTEMPTS = 3
/** What making an index may take; one of vectors that does not fit is made several times more slowly. */
const MAINTENANCE_MEMORY = '512MB'

const begin: Statement = { name: 'begin', text: 'begin' }
const commit: Statement = { name: 'commit', text: 'commit' }
const rollback: Statement = { name: 'rollback', text: 'rollback' }

const types: pg.CustomTypesConfig = { getTypeParser: (oid: number) => columnParser(oid) as never }

/**
 * PostgreSQL through a bounded pool, and only ever a primary: after a fail-over connections are made again through the same
 * address, until it leads to the new one. Statements are prepared once per connection under their name. Behind PgBouncer in
 * transaction mode that needs PgBouncer ≥ 1.21 with `max_prepared_statements` above 0; and LISTEN, which holds one session,
 * needs a direct connection (without one the callers' polling does the work).
 */
export class PostgresDb implements Db {
  readonly engine = 'postgres'
  readonly #pool: pg.Pool
  readonly #listener: PostgresListener
  readonly #watch: ServerWatch
  readonly #serverOf = new WeakMap<pg.ClientBase, string>()
  readonly #onStatement: StatementObserver | undefined
  readonly #statementLimitMs: number
  #isClosed = false

  constructor(options: PostgresOptions) {
    const config: pg.ClientConfig = {
      connectionString: options.url,
      application_name: options.applicationName ?? 'perdure',
      keepAlive: true,
      keepAliveInitialDelayMillis: KEEP_ALIVE_AFTER_MS,
      // several commands on the wire at once: BEGIN and the first statement share a round trip
      pipeline: true,
      types,
    } as pg.ClientConfig
    this.#pool = new pg.Pool({
      ...config,
      max: options.poolSize ?? 20,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      idleTimeoutMillis: 60_000,
      onConnect: async (client) => {
        const server = await requirePrimary(client)
        this.#serverOf.set(client, server)
        this.#watch.noticeServer(server)
      },
    })
    // An idle connection broke; the pool has dropped it already. Without a listener it would end the process.
    this.#pool.on('error', () => {})
    const single = { ...config, connectionTimeoutMillis: CONNECT_TIMEOUT_MS, query_timeout: CONNECT_TIMEOUT_MS }
    this.#listener = new PostgresListener(single)
    this.#watch = new ServerWatch(
      () => askServer(single),
      () => this.#listener.reconnect(),
    )
    this.#onStatement = options.onStatement
    this.#statementLimitMs = options.statementLimitMs ?? 60_000
  }

  /** A statement that was chosen as the victim of a deadlock has had no effect: it is sent again, twice at most. */
  async query<Row>(statement: Statement, params: readonly unknown[] = []): Promise<Row[]> {
    const session = await this.#openSession()
    try {
      for (let attempt = 1; ; attempt += 1) {
        try {
          return await session.query<Row>(statement, params)
        } catch (error) {
          if (attempt === MAX_ATTEMPTS || !VICTIM_STATES.has(sqlState(error) ?? '')) throw error
        }
      }
    } finally {
      session.release()
    }
  }

  async execute(script: string): Promise<void> {
    const client = await this.#connect()
    try {
      await client.query(script)
      client.release()
    } catch (error) {
      client.release(isConnectionLost(error))
      throw error
    }
  }

  /** The lock is of the session, which holds it as long as the commands take. */
  async maintain(task: string, commands: readonly string[]): Promise<boolean> {
    const client = await this.#connect()
    let isDone = false
    try {
      const { rows } = await client.query('select pg_try_advisory_lock(hashtext($1)) as is_mine', [task])
      if (rows[0]?.is_mine === true) {
        await client.query(`set maintenance_work_mem = '${MAINTENANCE_MEMORY}'`)
        for (const command of commands) await client.query(command)
        isDone = true
      }
      return isDone
    } finally {
      // a session that is closed has neither lock nor settings
      client.release(true)
    }
  }

  async transaction<Result>(work: (tx: Queryable) => Promise<Result>): Promise<Result> {
    const session = await this.#openSession()
    let hasBegun: Promise<unknown> | undefined
    const start = () => {
      hasBegun ??= session.query(begin, [])
      // its failure reaches the first statement too
      hasBegun.catch(() => {})
    }
    let isOpen = true
    const tx: Queryable = {
      query: async (statement, params = []) => {
        if (!isOpen) throw new Error(`the statement ${statement.name} came after the end of its transaction`)
        start()
        return session.query(statement, params)
      },
    }
    try {
      const result = await work(tx)
      isOpen = false
      if (hasBegun !== undefined) await session.commit()
      return result
    } catch (error) {
      isOpen = false
      if (hasBegun !== undefined) await session.rollback()
      throw error
    } finally {
      session.release()
    }
  }

  listen(channel: string, onNotify: (payload: string) => void): Promise<() => Promise<void>> {
    return this.#listener.listen(channel, onNotify)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#watch[Symbol.dispose]()
    await this.#listener[Symbol.asyncDispose]()
    await this.#pool.end()
  }

  async #openSession(): Promise<PostgresSession> {
    const client = await this.#connect()
    const session = new PostgresSession(
      client,
      this.#serverOf.get(client),
      this.#onStatement,
      this.#statementLimitMs,
      () => this.#watch.delete(session),
    )
    this.#watch.add(session)
    return session
  }

  async #connect(): Promise<pg.PoolClient> {
    if (this.#isClosed) throw Object.assign(new Error('the database was closed'), { code: '57P01' })
    try {
      for (;;) {
        const client = await this.#pool.connect()
        if (!this.#watch.isFormer(this.#serverOf.get(client))) return client
        hangUp(client)
        client.release(true)
      }
    } catch (error) {
      throw new DomainError('unavailable', `the database cannot be reached (${reason(error)}); try again in a moment`, {
        retryAfterSeconds: 1,
        cause: error,
      })
    }
  }
}

/** A connection while it is in use. */
class PostgresSession implements Queryable, WatchedSession {
  readonly server: string | undefined
  readonly #client: pg.PoolClient
  readonly #onStatement: StatementObserver | undefined
  readonly #statementLimitMs: number
  #mustDrop = false
  #broken: Error | undefined
  readonly #onError = (error: Error) => {
    this.#broken = error
  }

  readonly #onRelease: () => void
  #waitingSince: number | undefined
  #waitingCount = 0

  constructor(
    client: pg.PoolClient,
    server: string | undefined,
    onStatement: StatementObserver | undefined,
    statementLimitMs: number,
    onRelease: () => void,
  ) {
    this.server = server
    this.#onRelease = onRelease
    this.#client = client
    this.#onStatement = onStatement
    this.#statementLimitMs = statementLimitMs
    // the pool's own listener is off while the connection is out
    client.on('error', this.#onError)
  }

  async query<Row>(statement: Statement, params: readonly unknown[] = []): Promise<Row[]> {
    return (await this.#send(statement, params)).rows as Row[]
  }

  async commit(): Promise<void> {
    const { command } = await this.#send(commit, [])
    // PostgreSQL answers the commit of a failed transaction with a quiet ROLLBACK
    if (command === 'ROLLBACK') {
      throw Object.assign(new Error('the transaction was rolled back: one of its statements failed'), { code: '25P02' })
    }
  }

  async rollback(): Promise<void> {
    if (this.#mustDrop) return
    await this.#send(rollback, []).catch(() => {
      this.#mustDrop = true
    })
  }

  get waitingSince(): number | undefined {
    return this.#waitingSince
  }

  abandon(): void {
    hangUp(this.#client)
  }

  release(): void {
    this.#onRelease()
    this.#client.off('error', this.#onError)
    this.#client.release(this.#mustDrop || this.#broken !== undefined)
  }

  async #send(statement: Statement, params: readonly unknown[]): Promise<pg.QueryResult> {
    const startedAt = performance.now()
    this.#waitingSince ??= startedAt
    this.#waitingCount += 1
    try {
      return await this.#client.query({
        name: statement.name,
        text: statement.text,
        values: params.map(toParameter),
        query_timeout: this.#statementLimitMs,
      } as pg.QueryConfig)
    } catch (error) {
      // 0A000: the columns of a prepared statement changed under it (a migration); a new connection prepares it again
      if (error instanceof Error && error.message === 'Query read timeout') cancelOnServer(this.#client)
      this.#mustDrop ||= isConnectionLost(error) || sqlState(error) === '0A000'
      throw error
    } finally {
      this.#waitingCount -= 1
      this.#waitingSince = this.#waitingCount === 0 ? undefined : performance.now()
      this.#onStatement?.(statement.name, performance.now() - startedAt)
    }
  }
}

/** Makes a connection of its own, whatever state the pool is in. */
async function askServer(config: pg.ClientConfig): Promise<string> {
  const client = new pg.Client(config)
  client.on('error', () => {})
  try {
    await client.connect()
    return await requirePrimary(client)
  } finally {
    client.end().catch(() => {})
  }
}

/** Public in `pg`, but unknown to its types. */
interface BackendAddress {
  host: string
  port: number
  processID: number
  secretKey: number
}
interface CancelConnection extends pg.Connection {
  connect(portOrPath: number | string, host?: string): void
  cancel(processID: number, secretKey: number): void
}

/**
 * `pg` only hangs up on a statement over its limit, and the server would go on with it. A cancel request works behind
 * PgBouncer too, where `statement_timeout` as a start-up parameter is refused.
 */
function cancelOnServer(client: pg.PoolClient): void {
  const { host, port, processID, secretKey } = client as unknown as BackendAddress
  const connection = new pg.Connection() as CancelConnection
  connection.on('error', () => {})
  connection.once('connect', () => connection.cancel(processID, secretKey))
  if (host.startsWith('/')) connection.connect(`${host}/.s.PGSQL.${port}`)
  else connection.connect(port, host)
}

function reason(error: unknown): string {
  const { code, message } = error as { code?: unknown; message?: unknown }
  return typeof message === 'string' && message !== '' ? message : String(code)
}
