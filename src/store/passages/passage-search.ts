import { type RawBuilder, sql } from 'kysely'
import { allOf } from '#store/all-of.ts'
import { sqlBuilder, toStatement } from '#store/builder.ts'
import { type Queryable, statement } from '#store/db.ts'
import type { VectorScope } from '#store/embeddings/nearest.ts'
import type { PartSource } from '#store/search/rank-by-parts.ts'
import { excludes } from '#store/search/word-source.ts'
import { type PassageRow, passageColumns } from './passage-row.ts'

/** Where to look. Every condition that is given must hold. */
export interface PassageScope {
  organizationId: string
  /** The archive of this agent. */
  agentId?: string | undefined
  archiveId?: string | undefined
  /** These alone, at most `MAX_LISTED`. */
  ids?: readonly string[] | undefined
  tags?: readonly string[] | undefined
  tagMatchMode?: 'any' | 'all' | undefined
  /** Both inclusive. */
  start?: Date | undefined
  end?: Date | undefined
}

/** Passages with the wanted tags that are named by their ids; where there are more, each passage in scope is asked for its tags. */
const MAX_LISTED = 2_000

/**
 * The scope with its tags replaced by the passages that have them, where these are few: they are then found by their ids, however large the archive is. The planner
 * cannot be left to join the tags: it takes organisation and archive for independent of each other, expects one row, and reads the tags of the archive again for each
 * passage.
 */
export async function resolveTags(db: Queryable, { tags, ...scope }: PassageScope): Promise<PassageScope> {
  const wanted = [...new Set(tags ?? [])]
  if (wanted.length === 0) return scope
  const { organizationId, tagMatchMode } = scope
  const tagged = sql`select t.passage_id as id from archives as c
    join passage_tags as t on t.organization_id = ${organizationId} and t.archive_id = c.id and t.tag = any(${wanted}::text[])
    where ${inArchives(scope, sql.ref('c.organization_id'), sql.ref('c.id'))}`
  const query =
    tagMatchMode === 'all'
      ? sql`${tagged} group by t.passage_id having count(*) = ${wanted.length} limit ${MAX_LISTED + 1}`
      : sql`${tagged} limit ${MAX_LISTED + 1}`
  const found = await db.query<{ id: string }>(...toStatement('list-tagged-passages', query.compile(sqlBuilder)))
  if (found.length > MAX_LISTED) return { ...scope, tags: wanted }
  return { ...scope, ids: [...new Set(found.map(({ id }) => id))] }
}

/** Where words, and parts of them, are looked for. */
export const passageSource = (scope: PassageScope): PartSource => ({
  table: 'passages',
  scope: inArchives(scope, sql.ref('s.organization_id'), sql.ref('s.archive_id')),
  sampleOrder:
    scope.archiveId === undefined && scope.agentId === undefined ? undefined : sql`s.created_at desc, s.id desc`,
  filters: filters(scope),
  parts: { column: 'text', order: 's.created_at desc, s.id desc' },
  total: sql`(select sum(c.passage_count) from archives as c
    where ${inArchives(scope, sql.ref('c.organization_id'), sql.ref('c.id'))})`,
})

/** The same scope for vectors. */
export function passageVectorScope(scope: PassageScope): VectorScope {
  const { organizationId, ids, start, end } = scope
  const tagged = hasTags(scope)
  return {
    organizationId,
    kind: 'passage',
    sourceIds: ids,
    within: inArchives(scope, sql.ref('e.organization_id'), sql.ref('e.scope_id')),
    start,
    end,
    where:
      tagged &&
      sql`exists (select from passages as s where s.organization_id = ${organizationId} and s.id = e.source_id and ${tagged})`,
  }
}

/** What is in scope, newest first. */
export function listNewestPassages(
  db: Queryable,
  scope: PassageScope,
  excluded: readonly string[],
  limit: number,
): Promise<PassageRow[]> {
  const source = passageSource(scope)
  const query = sql`select ${sql.raw(passageColumns('s'))} from passages as s
    where ${source.scope} and ${source.filters} and ${excludes(sql`s.search`, excluded)}
    order by s.created_at desc, s.id desc limit ${limit}`
  return db.query<PassageRow>(...toStatement('list-newest-passages', query.compile(sqlBuilder)))
}

const READ = statement(
  'read-passages',
  `select ${passageColumns('p')} from unnest($2::text[]) with ordinality as w (id, place)
   join passages as p on p.organization_id = $1 and p.id = w.id order by w.place`,
)

/** Passages in the order in which they are named; those that are gone are missing. */
export function readPassages(db: Queryable, organizationId: string, ids: readonly string[]): Promise<PassageRow[]> {
  return db.query<PassageRow>(READ, [organizationId, ids])
}

function inArchives(
  { organizationId, archiveId, agentId }: PassageScope,
  organization: RawBuilder<unknown>,
  archive: RawBuilder<unknown>,
): RawBuilder<unknown> {
  return allOf(
    sql`${organization} = ${organizationId}`,
    archiveId !== undefined && sql`${archive} = ${archiveId}`,
    agentId !== undefined &&
      sql`${archive} = (select aa.archive_id from agent_archives as aa
        where aa.organization_id = ${organizationId} and aa.agent_id = ${agentId})`,
  )
}

function filters(scope: PassageScope): RawBuilder<unknown> {
  return allOf(
    scope.ids !== undefined && sql`s.id = any(${scope.ids}::text[])`,
    hasTags(scope),
    scope.start !== undefined && sql`s.created_at >= ${scope.start.toISOString()}::timestamptz`,
    scope.end !== undefined && sql`s.created_at <= ${scope.end.toISOString()}::timestamptz`,
  )
}

function hasTags({ tags, tagMatchMode }: PassageScope): RawBuilder<unknown> | undefined {
  if (tags === undefined || tags.length === 0) return undefined
  return tagMatchMode === 'all' ? sql`s.tags @> ${tags}::text[]` : sql`s.tags && ${tags}::text[]`
}
