import { sql } from 'kysely'
import { sqlBuilder, toStatement } from '#store/builder.ts'
import type { Queryable } from '#store/db.ts'
import { MAX_RANKED, type WordSource } from './word-source.ts'

/** Rows by which the frequency of common words is estimated; a scope that has no more is counted. */
const SAMPLE_SIZE = 400
/** Rows of the sample that must have a word for that: below, it is rare enough to be counted. */
const MIN_SAMPLED = 12
/** Counting ends here; from there on the sample is believed, but for a word that the sample lacks because only older rows have it. */
const MAX_COUNTED = MAX_RANKED + 1

/** A term that occurs in scope. */
export interface WeighedTerm {
  /** Its place in the query, from 1. */
  place: number
  /** As the database asks for it: in any inflection, in the languages that have it here. */
  query: string
  /** The same in English alone; null where it means nothing there. */
  english: string | null
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
 * The stems of English are counted apart from those of other languages, and what nothing has is left out of the query: it is evaluated for thousands of rows.
 * (`materialized`: else each use of a count counts again.) Terms that nothing has, or that mean nothing ("the"), are missing.
 */
export function weighTerms(db: Queryable, source: WordSource, terms: readonly string[]): Promise<WeighedTerm[]> {
  const { table, scope, sampleOrder } = source
  const order = sampleOrder === undefined ? sql`` : sql`order by ${sampleOrder}`
  const query = sql`
with sample as materialized (
  select s.search from ${sql.table(table)} as s where ${scope} and s.search is not null ${order} limit ${sql.lit(SAMPLE_SIZE)}
), seen as materialized (
  select greatest(${source.total}, 1)::float8 as total, (select count(*) from sample)::float8 as sampled
), asked as materialized (
  select t.place::int, perdure_word_forms(t.term, l.language) as forms
  from perdure_language(array_to_string(${terms}::text[], ' ')) as l (language)
  cross join unnest(${terms}::text[]) with ordinality as t (term, place)
), counted as materialized (
  select a.place, a.forms[1]::text as english, f.query::text as query, seen.total, case
    when seen.sampled < ${sql.lit(SAMPLE_SIZE)} then found.count
    when found.count >= ${sql.lit(MIN_SAMPLED)} then found.count * greatest(seen.total, seen.sampled) / seen.sampled
    else (select greatest(count(*), case when count(*) = ${sql.lit(MAX_COUNTED)} then found.count * seen.total / seen.sampled end)::float8 from (
      select from ${sql.table(table)} as s where ${scope} and s.search @@ f.query limit ${sql.lit(MAX_COUNTED)}
    ) as rare)
  end as count
  from seen cross join asked as a
  cross join lateral unnest(a.forms) as f (query)
  cross join lateral (select count(*)::float8 as count from sample as m where m.search @@ f.query) as found
  where f.query is not null
), weighed as (
  select c.place, c.english, string_agg(c.query, ' | ') as query, max(c.count) as count, greatest(c.total, max(c.count)) as total
  from counted as c where c.count > 0 group by c.place, c.english, c.total
)
select w.place, w.query, w.english, w.count::int as count, w.total::int as total, ln(1 + (w.total - w.count + 0.5) / (w.count + 0.5)) as weight
from weighed as w order by w.place`
  return db.query<WeighedTerm>(...toStatement(`weigh-terms-of-${table}`, query.compile(sqlBuilder)))
}
