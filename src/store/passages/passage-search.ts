import { type RawBuilder, sql } from 'kysely'
import { allOf } from '#store/all-of.ts'
import { sqlBuilder, toStatement } from '#store/builder.ts'
import { containsPattern } from '#store/contains-pattern.ts'
import type { Queryable } from '#store/db.ts'
import { type PassageRow, passageColumns } from './passage-row.ts'

/** Where to look. Every condition that is given must hold. */
export interface PassageScope {
  /** The archive of this agent. */
  agentId?: string | undefined
  archiveId?: string | undefined
  tags?: readonly string[] | undefined
  tagMatchMode?: 'any' | 'all' | undefined
  /** Both inclusive. */
  start?: Date | undefined
  end?: Date | undefined
}

/** At least one of `terms` (words or phrases) must occur, none of `excluded`. */
export interface PassageTerms {
  terms: readonly string[]
  excluded: readonly string[]
}

/** `score` is 0 to 1: the share of terms that occur and, among equals, how often and (when all do) how close together. */
export interface FoundPassageRow extends PassageRow {
  score: number
}

/**
 * Full-text search in English: words are found in any inflection, by the index over (organisation, archive, words).
 * All conditions hold before the limit is taken. Terms without a meaning of their own ("the") find nothing here.
 */
export async function searchPassagesByWords(
  db: Queryable,
  organizationId: string,
  { terms, excluded }: PassageTerms,
  scope: PassageScope,
  limit: number,
): Promise<FoundPassageRow[]> {
  const anyTerm = sql.join(terms.map(toTsQuery), sql` || `)
  const allTerms = sql.join(terms.map(toTsQuery), sql` && `)
  const matching = sql.join(
    terms.map((term) => sql`(passages.search @@ ${toTsQuery(term)})::int`),
    sql` + `,
  )
  const query = sql`select ${sql.raw(passageColumns('passages'))},
      (${matching} + (ts_rank_cd(passages.search, ${anyTerm}, 32) + ts_rank_cd(passages.search, ${allTerms}, 32)) / 2)
        / (${terms.length}::float8 + 1) as score
    from passages
    where ${scopeConditions(organizationId, scope)} and passages.search @@ (${anyTerm})
      and ${excludes(excluded)}
    order by score desc, passages.created_at desc, passages.id desc limit ${limit}`
  return db.query<FoundPassageRow>(...toStatement('search-passages-by-words', query.compile(sqlBuilder)))
}

/** The same by substrings in any case, which also finds parts of words and languages without blanks. Reads every passage in scope. */
export async function searchPassagesBySubstring(
  db: Queryable,
  organizationId: string,
  { terms, excluded }: PassageTerms,
  scope: PassageScope,
  limit: number,
): Promise<FoundPassageRow[]> {
  const patterns = terms.map(containsPattern)
  const matching = sql.join(
    patterns.map((pattern) => sql`(passages.text ilike ${pattern})::int`),
    sql` + `,
  )
  const query = sql`select ${sql.raw(passageColumns('passages'))}, (${matching}) / (${terms.length}::float8 + 1) as score
    from passages
    where ${scopeConditions(organizationId, scope)} and passages.text ilike any(${patterns}::text[])
      and ${excludes(excluded)}
    order by score desc, passages.created_at desc, passages.id desc limit ${limit}`
  return db.query<FoundPassageRow>(...toStatement('search-passages-by-substring', query.compile(sqlBuilder)))
}

/** What is in scope, newest first; the score is 0. */
export async function listNewestPassages(
  db: Queryable,
  organizationId: string,
  excluded: readonly string[],
  scope: PassageScope,
  limit: number,
): Promise<FoundPassageRow[]> {
  const query = sql`select ${sql.raw(passageColumns('passages'))}, 0::float8 as score
    from passages where ${scopeConditions(organizationId, scope)} and ${excludes(excluded)}
    order by passages.created_at desc, passages.id desc limit ${limit}`
  return db.query<FoundPassageRow>(...toStatement('list-newest-passages', query.compile(sqlBuilder)))
}

const toTsQuery = (term: string): RawBuilder<unknown> => sql`phraseto_tsquery('english', ${term})`

const excludes = (terms: readonly string[]): RawBuilder<unknown> =>
  allOf(...terms.map((term) => sql`not passages.search @@ ${toTsQuery(term)}`))

function scopeConditions(organizationId: string, scope: PassageScope): RawBuilder<unknown> {
  const tags = [...new Set(scope.tags ?? [])]
  return allOf(
    sql`passages.organization_id = ${organizationId}`,
    scope.archiveId !== undefined && sql`passages.archive_id = ${scope.archiveId}`,
    scope.agentId !== undefined &&
      sql`passages.archive_id = (select aa.archive_id from agent_archives as aa
        where aa.organization_id = ${organizationId} and aa.agent_id = ${scope.agentId})`,
    tags.length > 0 && hasTags(organizationId, tags, scope.tagMatchMode ?? 'any'),
    scope.start !== undefined && sql`passages.created_at >= ${scope.start.toISOString()}::timestamptz`,
    scope.end !== undefined && sql`passages.created_at <= ${scope.end.toISOString()}::timestamptz`,
  )
}

/** `exists` on the tags' own index finds rare tags quickly; "all" then looks at the passage's own list. */
function hasTags(organizationId: string, tags: readonly string[], mode: 'any' | 'all'): RawBuilder<unknown> {
  return allOf(
    sql`exists (select from passage_tags as t
      where t.organization_id = ${organizationId} and t.archive_id = passages.archive_id
        and t.passage_id = passages.id and t.tag = any(${tags}::text[]))`,
    mode === 'all' && sql`passages.tags @> ${tags}::text[]`,
  )
}
