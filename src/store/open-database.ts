import type { Db, StatementObserver } from './db.ts'

export type DatabaseOptions =
  | {
      kind: 'pglite'
      /** The database lies in `<dataDir>/database`. */
      dataDir: string
      /** See `ensureTemplate`. */
      templateDir?: string | undefined
      onProgress?: ((line: string) => void) | undefined
      onStatement?: StatementObserver | undefined
      /** Milliseconds after which a statement is ended; 60 000 unless told. */
      statementLimitMs?: number | undefined
    }
  | {
      kind: 'postgres'
      url: string
      /** Connections at most; 20 unless told. One more is used for LISTEN. */
      poolSize?: number | undefined
      onStatement?: StatementObserver | undefined
      applicationName?: string | undefined
      /** Milliseconds after which a statement is ended; 60 000 unless told. */
      statementLimitMs?: number | undefined
    }

/**
 * Opens the database; `migrate` and `ensurePartitions` come next. Only the engine asked for is loaded. Throws when it cannot
 * be opened; PostgreSQL that does not answer is an `unavailable` at the first statement, so that a server can start and wait.
 */
export async function openDatabase(options: DatabaseOptions): Promise<Db> {
  if (options.kind === 'pglite') {
    const { PgliteDb } = await import('./pglite.ts')
    return PgliteDb.open(options)
  }
  const { PostgresDb } = await import('./postgres.ts')
  return new PostgresDb(options)
}
