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
  tags?: readonly string[] | undefined
  tagMatchMode?: 'any' | 'all' | undefined
  /** Both inclusive. */
  start?: Date | undefined
  end?: Date | undefined
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
  const { organizationId, start, end } = scope
  const tagged = hasTags(scope, sql.ref('e.scope_id'), sql.ref('e.source_id'))
  return {
    organizationId,
    kind: 'passage',
    within: inArchives(scope, sql.ref('e.organization_id'), sql.ref('e.scope_id')),
    start,
    end,
    where: tagged,
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
    hasTags(scope, sql.ref('s.archive_id'), sql.ref('s.id')),
    scope.start !== undefined && sql`s.created_at >= ${scope.start.toISOString()}::timestamptz`,
    scope.end !== undefined && sql`s.created_at <= ${scope.end.toISOString()}::timestamptz`,
  )
}

/** By the tags' own index, which finds rare tags quickly. */
function hasTags(
  { organizationId, tags: given, tagMatchMode }: PassageScope,
  archive: RawBuilder<unknown>,
  id: RawBuilder<unknown>,
): RawBuilder<unknown> | undefined {
  const tags = [...new Set(given ?? [])]
  if (tags.length === 0) return undefined
  const tagged = (condition: RawBuilder<unknown>) => sql`exists (select from passage_tags as t
    where t.organization_id = ${organizationId} and t.archive_id = ${archive} and t.passage_id = ${id} and ${condition})`
  if (tagMatchMode !== 'all') return tagged(sql`t.tag = any(${tags}::text[])`)
  return allOf(...tags.map((tag) => tagged(sql`t.tag = ${tag}`)))
}
