import { type RawBuilder, sql } from 'kysely'
import { sqlBuilder, toStatement } from '#store/builder.ts'
import type { Queryable } from '#store/db.ts'
import type { WeighedTerm } from './weigh-terms.ts'
import { excludes, MAX_RANKED, type WordSource } from './word-source.ts'

/** Lexemes of a text at which a word in it counts half as much as in a very short one. */
const HALF_AT = 100
/** What a word counts in a text of so many lexemes: 1 where it has 20, less in longer ones. */
export const lengthFactor = (size: number): number => (1 + 20 / HALF_AT) / (1 + size / HALF_AT)
const LENGTH_FACTOR = sql`(${sql.lit(1 + 20 / HALF_AT)}::float8 / (1 + length(c.search)::float8 / ${sql.lit(HALF_AT)}))`

/**
 * The rows that have the heaviest words, the best first. A word counts once however often it stands in a text; of texts with all of the words those are first
 * where they stand close together. What it costs does not grow with the scope: rows are found by the rarest words, as many as have `MAX_RANKED` rows
 * together, and the others add to their scores; where even the rarest has more, rows with all of the words are found first. Where these find fewer than are
 * wanted, the others find too.
 * @param terms of `weighTerms`; with none nothing is found
 */
export async function rankByWords<Row extends { id: string } = { id: string }>(
  db: Queryable,
  source: WordSource,
  terms: readonly WeighedTerm[],
  excluded: readonly string[],
  wanted: RankedRows,
): Promise<Row[]> {
  if (terms.length === 0) return []
  const rare = findingTerms(terms)
  const found = await rankFound<Row>(db, source, rare, terms, excluded, wanted)
  const others = terms.filter((term) => !rare.includes(term))
  if (found.length >= wanted.atLeast || others.length === 0) return found
  const ids = new Set(found.map(({ id }) => id))
  const more = await rankFound<Row>(db, source, others, terms, excluded, wanted)
  return [...found, ...more.filter(({ id }) => !ids.has(id))].slice(0, wanted.limit)
}

/** What is wanted of a ranking. */
export interface RankedRows {
  limit: number
  /** Rows that must be found where there are as many: all that the search gives, unless vectors find the rest of them. */
  atLeast: number
  /** Further ones to give. */
  columns?: readonly string[]
}

function rankFound<Row>(
  db: Queryable,
  { table, scope, filters }: WordSource,
  finding: readonly WeighedTerm[],
  terms: readonly WeighedTerm[],
  excluded: readonly string[],
  { limit, columns = [] }: RankedRows,
): Promise<Row[]> {
  const extra = (alias: string): RawBuilder<unknown> => sql.raw(columns.map((name) => `, ${alias}.${name}`).join(''))
  const rowsWith = (
    by: string,
  ): RawBuilder<unknown> => sql`(select s.id, s.search${extra('s')} from ${sql.table(table)} as s
    where ${scope} and ${filters} and s.search @@ ${by}::tsquery and ${excludes(sql`s.search`, excluded)} limit ${sql.lit(MAX_RANKED)})`
  const isCut = terms.length > 1 && reachOf(finding) > MAX_RANKED
  const together = allOfThem(finding.length > 1 ? finding : terms)
  const query = sql`
with wanted as materialized (
  select * from unnest(${terms.map((term) => term.query)}::tsquery[], ${terms.map((term) => term.weight)}::float8[]) as w (query, weight)
), candidates as materialized (
  ${isCut ? sql`select distinct on (f.id) f.* from (${rowsWith(together)} union all ${rowsWith(anyOf(finding))}) as f` : rowsWith(anyOf(finding))}
), ranked as materialized (
  select c.*, ${LENGTH_FACTOR} * (select sum(w.weight) from wanted as w where c.search @@ w.query) as score
  from candidates as c order by score desc, c.id desc limit ${limit}
)
select c.id${extra('c')} from ranked as c
order by c.score desc, ts_rank_cd(c.search, ${allOfThem(terms)}::tsquery, 32) desc, c.id desc`
  return db.query<Row>(...toStatement(`rank-${table}`, query.compile(sqlBuilder)))
}

/** The rarest terms, as many as find no more than is ranked; the rarest of all in any case. */
function findingTerms(terms: readonly WeighedTerm[]): WeighedTerm[] {
  const rarestFirst = terms.toSorted((a, b) => a.count - b.count)
  let reach = 0
  return rarestFirst.filter((term, index) => {
    reach += term.count
    return index === 0 || reach <= MAX_RANKED
  })
}

const reachOf = (terms: readonly WeighedTerm[]): number => terms.reduce((sum, { count }) => sum + count, 0)
const anyOf = (terms: readonly WeighedTerm[]): string => terms.map(({ query }) => `(${query})`).join(' | ')
const allOfThem = (terms: readonly WeighedTerm[]): string => terms.map(({ query }) => `(${query})`).join(' & ')
