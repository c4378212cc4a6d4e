import { sql } from 'kysely'
import { sqlBuilder, toStatement } from '#store/builder.ts'
import type { Queryable } from '#store/db.ts'
import { toTsQuery, type WordSource } from './word-source.ts'

/** Rows by which the frequency of common words is estimated; a scope that has no more is counted. */
const SAMPLE_SIZE = 400
/** Rows of the sample that must have a word for that: below, it is rare enough to be counted. */
const MIN_SAMPLED = 12
/** Counting ends here; from there on the sample is believed. */
const MAX_COUNTED = 500

/** A term that occurs in scope. */
export interface WeighedTerm {
  /** Its place in the query, from 1. */
  place: number
  /** As the database asks for it. */
  query: string
  /** Rows that have it; of common words about. */
  count: number
  /** Rows in scope. */
  total: number
  /** Its inverse document frequency: the rarer in scope, the heavier. */
  weight: number
}

/**
 * What the terms of a query weigh in a scope, by BM25's inverse document frequency (Robertson and Zaragoza, The Probabilistic Relevance Framework, 2009). Rows with a
 * common word are not counted, which would cost the more the larger the scope: how common it is shows in a sample.
 * Terms that nothing has, or that mean nothing, are missing.
 */
export function weighTerms(db: Queryable, source: WordSource, terms: readonly string[]): Promise<WeighedTerm[]> {
  const { table, scope, sampleOrder } = source
  const order = sampleOrder === undefined ? sql`` : sql`order by ${sampleOrder}`
  const query = sql`
with sample as materialized (
  select s.search from ${sql.table(table)} as s where ${scope} and s.search is not null ${order} limit ${sql.lit(SAMPLE_SIZE)}
), seen as materialized (
  select greatest(${source.total}, 1)::float8 as total, (select count(*) from sample)::float8 as sampled
), counted as (
  select t.place::int, q.query::text as query, seen.total, case
    when seen.sampled < ${sql.lit(SAMPLE_SIZE)} then found.count
    when found.count >= ${sql.lit(MIN_SAMPLED)} then found.count * greatest(seen.total, seen.sampled) / seen.sampled
    else (select greatest(count(*), case when count(*) = ${sql.lit(MAX_COUNTED)} then found.count * seen.total / seen.sampled end)::float8 from (
      select from ${sql.table(table)} as s where ${scope} and s.search @@ q.query limit ${sql.lit(MAX_COUNTED)}
    ) as rare)
  end as count
  from seen cross join unnest(${terms}::text[]) with ordinality as t (term, place)
  cross join lateral ${toTsQuery(sql`t.term`)} as q (query)
  cross join lateral (select count(*)::float8 as count from sample as m where m.search @@ q.query) as found
  where numnode(q.query) > 0
)
select c.place, c.query, c.count::int as count, greatest(c.total, c.count)::int as total,
  ln(1 + (greatest(c.total, c.count) - c.count + 0.5) / (c.count + 0.5)) as weight
from counted as c where c.count > 0 order by c.place`
  return db.query<WeighedTerm>(...toStatement(`weigh-terms-of-${table}`, query.compile(sqlBuilder)))
}
