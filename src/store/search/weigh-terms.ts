import { sql } from 'kysely'
import { sqlBuilder, toStatement } from '#store/builder.ts'
import type { Queryable } from '#store/db.ts'
import { toTsQuery, type WordSource } from './word-source.ts'

/** Rows that have a word are counted up to here; a more common one weighs next to nothing. */
export const MAX_COUNTED = 2_000

/** A term that occurs in scope. */
export interface WeighedTerm {
  /** Its place in the query, from 1. */
  place: number
  /** As the database asks for it. */
  query: string
  /** Rows that have it, counted up to `MAX_COUNTED`. */
  count: number
  /** Rows in scope. */
  total: number
  /** Its inverse document frequency: the rarer in scope, the heavier. */
  weight: number
}

/**
 * What the terms of a query weigh in a scope, by BM25's inverse document frequency (Robertson and Zaragoza, The Probabilistic Relevance Framework, 2009).
 * Terms that nothing has, or that mean nothing, are missing.
 */
export function weighTerms(db: Queryable, source: WordSource, terms: readonly string[]): Promise<WeighedTerm[]> {
  const query = sql`
with total as materialized (select greatest(${source.total}, 1)::float8 as count)
select t.place::int, q.query::text as query, found.count::int, total.count::int as total,
  ln(1 + (greatest(total.count, found.count) - found.count + 0.5) / (found.count + 0.5)) as weight
from total cross join unnest(${terms}::text[]) with ordinality as t (term, place)
cross join lateral ${toTsQuery(sql`t.term`)} as q (query)
cross join lateral (
  select count(*)::float8 as count from (
    select from ${sql.table(source.table)} as s where ${source.scope} and s.search @@ q.query limit ${sql.lit(MAX_COUNTED)}
  ) as counted
) as found
where numnode(q.query) > 0 and found.count > 0 order by t.place`
  return db.query<WeighedTerm>(...toStatement(`weigh-terms-of-${source.table}`, query.compile(sqlBuilder)))
}
