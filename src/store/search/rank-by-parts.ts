import { sql } from 'kysely'
import { sqlBuilder, toStatement } from '#store/builder.ts'
import { containsPattern } from '#store/contains-pattern.ts'
import type { Queryable } from '#store/db.ts'
import { excludes, type WordQuery, type WordSource } from './word-source.ts'

/** A source whose rows can be found by parts of words. */
export interface PartSource extends WordSource {
  /** Where parts are looked for, and the order among rows that have as many of them. */
  parts: { column: 'text' | 'name'; order: string }
}

/**
 * The rows that contain the terms, in any case, the most of them first. This finds parts of words, and languages without blanks. Reads every row in scope;
 * `ilike` would make small letters of row and pattern anew for each pair of them.
 */
export function rankByParts(
  db: Queryable,
  { table, scope, filters, parts }: PartSource,
  { terms, excluded }: WordQuery,
  limit: number,
): Promise<{ id: string }[]> {
  const patterns = sql`array(select lower(p.pattern) from unnest(${terms.map(containsPattern)}::text[]) as p (pattern))`
  const column = sql`lower(${sql.ref(`s.${parts.column}`)})`
  const query = sql`select s.id from ${sql.table(table)} as s
    where ${scope} and ${filters} and ${column} like any(${patterns}) and ${excludes(sql`s.search`, excluded)}
    order by (select count(*) from unnest(${patterns}) as p (pattern) where ${column} like p.pattern) desc, ${sql.raw(parts.order)}
    limit ${limit}`
  return db.query<{ id: string }>(...toStatement(`rank-${table}-by-parts`, query.compile(sqlBuilder)))
}
