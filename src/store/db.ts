/**
 * The one door to the database. Two engines stand behind it: PGlite (embedded) and PostgreSQL (production). Both give the
 * same JavaScript values: `timestamptz` → Date, `int8` → number (our counters stay below 2^53), `json(b)` → parsed,
 * `text[]` → string[]. JSON goes in as text (`JSON.stringify`) with a `$n::jsonb` cast in the SQL.
 */

/** A fixed SQL text with a name. The name is the prepared statement's name and the label of its metric. */
export interface Statement {
  readonly name: string
  readonly text: string
}

/** Declares a statement; names are kebab-case and unique in the process. One SQL command per statement. */
export function statement(name: string, text: string): Statement {
  return { name, text }
}

export interface Queryable {
  /** Runs one statement. Outside `transaction` it is its own transaction. */
  query<Row>(statement: Statement, params?: readonly unknown[]): Promise<Row[]>
}

export interface Db extends Queryable, AsyncDisposable {
  readonly engine: 'pglite' | 'postgres'
  /**
   * Runs `work` in one transaction on one connection; rolls back when it throws. Never await a model, a tool or any other
   * network inside. Prefer a single statement with CTEs where the path is hot.
   */
  transaction<Result>(work: (tx: Queryable) => Promise<Result>): Promise<Result>
  /** Runs a script of several commands without parameters, in one transaction: migrations, tests, maintenance. */
  execute(script: string): Promise<void>
  /**
   * Runs commands one after the other, each on its own and with no limit of time: indexes that are made while writing goes on. False, with nothing
   * done, where another process is at the same `task`.
   */
  maintain(task: string, commands: readonly string[]): Promise<boolean>
  /** Calls `onNotify` for each NOTIFY on `channel`, again after reconnects (a payload may be missed meanwhile: poll too). */
  listen(channel: string, onNotify: (payload: string) => void): Promise<() => Promise<void>>
}

/** Counts statements; set by tests and the benchmark, read by metrics. Called once per statement sent, also BEGIN and COMMIT. */
export type StatementObserver = (name: string, durationMs: number) => void
