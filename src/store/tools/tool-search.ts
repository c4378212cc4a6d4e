import { type RawBuilder, sql } from 'kysely'
import { allOf } from '#store/all-of.ts'
import { sqlBuilder, toStatement } from '#store/builder.ts'
import { type Queryable, statement } from '#store/db.ts'
import type { VectorScope } from '#store/embeddings/nearest.ts'
import type { PartSource } from '#store/search/rank-by-parts.ts'
import { excludes } from '#store/search/word-source.ts'
import { type ToolRow, toolColumns } from './tool-row.ts'

/** Every condition that is given must hold. */
export interface ToolScope {
  organizationId: string
  types: readonly string[] | undefined
  /** At least one of them. */
  tags: readonly string[] | undefined
}

function filters({ types, tags }: ToolScope, alias = 's'): RawBuilder<unknown> {
  return allOf(
    types !== undefined && sql`${sql.ref(`${alias}.tool_type`)} = any(${types}::text[])`,
    tags !== undefined && sql`${sql.ref(`${alias}.tags`)} && ${tags}::text[]`,
  )
}

/** Where words are looked for: name, description and tags; parts of them in the name. */
export const toolSource = (scope: ToolScope): PartSource => ({
  table: 'tools',
  scope: sql`s.organization_id = ${scope.organizationId}`,
  filters: filters(scope),
  parts: { column: 'name', order: 's.created_at desc, s.id desc' },
  total: sql`(select count(*) from tools as t where t.organization_id = ${scope.organizationId})`,
})

/** The same scope for vectors. */
export const toolVectorScope = (scope: ToolScope): VectorScope => ({
  organizationId: scope.organizationId,
  kind: 'tool',
  where:
    scope.types === undefined && scope.tags === undefined
      ? undefined
      : sql`exists (select from tools as s where s.organization_id = e.organization_id and s.id = e.source_id and ${filters(scope)})`,
})

/** Newest first. */
export function listNewestTools(
  db: Queryable,
  scope: ToolScope,
  excluded: readonly string[],
  limit: number,
): Promise<ToolRow[]> {
  const query = sql`select ${sql.raw(toolColumns('tools'))} from tools
    where tools.organization_id = ${scope.organizationId} and ${filters(scope, 'tools')} and ${excludes(sql`tools.search`, excluded)}
    order by tools.created_at desc, tools.id desc limit ${limit}`
  return db.query<ToolRow>(...toStatement('list-newest-tools', query.compile(sqlBuilder)))
}

const READ = statement(
  'read-tools',
  `select ${toolColumns('t')} from unnest($2::text[]) with ordinality as w (id, place)
   join tools as t on t.organization_id = $1 and t.id = w.id order by w.place`,
)

/** Tools in the order in which they are named; those that are gone are missing. */
export function readTools(db: Queryable, organizationId: string, ids: readonly string[]): Promise<ToolRow[]> {
  return db.query<ToolRow>(READ, [organizationId, ids])
}
