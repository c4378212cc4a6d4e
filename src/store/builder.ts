import { createHash } from 'node:crypto'
import {
  type CompiledQuery,
  DummyDriver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
} from 'kysely'
import type { Statement } from '#store/db.ts'
import type { Tables } from '#store/tables.ts'

/** Compiles SQL where filters are dynamic; it has no connection. Fixed SQL is written as text with `statement()`. */
export const sqlBuilder = new Kysely<Tables>({
  dialect: {
    createAdapter: () => new PostgresAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (db) => new PostgresIntrospector(db),
    createQueryCompiler: () => new PostgresQueryCompiler(),
  },
})

/**
 * Statement and parameters of a built query. The text goes into the name (`list-agents#1f3a…`), since a prepared
 * statement's name must mean one text; metrics cut the name at the `#`.
 */
export function toStatement(name: string, query: CompiledQuery): [Statement, readonly unknown[]] {
  const digest = createHash('sha1').update(query.sql).digest('hex').slice(0, 12)
  return [{ name: `${name}#${digest}`, text: query.sql }, query.parameters]
}
