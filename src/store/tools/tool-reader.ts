import { type RawBuilder, sql } from 'kysely'
import { allOf } from '#store/all-of.ts'
import { sqlBuilder, toStatement } from '#store/builder.ts'
import { containsPattern } from '#store/contains-pattern.ts'
import { type Queryable, statement } from '#store/db.ts'
import { keysetPage, type PageRequest } from '#store/page.ts'
import { requireCursor } from '#store/require-cursor.ts'
import { type ToolRow, toolColumns } from './tool-row.ts'

const FIND_TOOL = statement(
  'find-tool',
  `select ${toolColumns('t')} from tools as t where t.organization_id = $1 and t.id = $2`,
)

export async function findTool(db: Queryable, organizationId: string, toolId: string): Promise<ToolRow | undefined> {
  const [row] = await db.query<ToolRow>(FIND_TOOL, [organizationId, toolId])
  return row
}

/** Every condition that is given must hold. */
export interface ToolFilter {
  names?: readonly string[] | undefined
  ids?: readonly string[] | undefined
  /** Substring of the name, in any case. */
  nameContains?: string | undefined
  types?: readonly string[] | undefined
  excludedTypes?: readonly string[] | undefined
}

export async function listTools(
  db: Queryable,
  organizationId: string,
  filter: ToolFilter,
  page: PageRequest,
): Promise<ToolRow[]> {
  const paging = keysetPage(page, { table: 'tools', organizationId })
  const query = sql`select ${sql.raw(toolColumns('tools'))} from tools
    where ${toolConditions(organizationId, filter)} and ${paging.where}
    order by ${paging.orderBy} limit ${page.limit}`
  const rows = await db.query<ToolRow>(...toStatement('list-tools', query.compile(sqlBuilder)))
  if (rows.length === 0) await requireCursor(db, organizationId, 'tools', page)
  return paging.finish(rows)
}

export async function countTools(db: Queryable, organizationId: string, filter: ToolFilter): Promise<number> {
  const query = sql`select count(*) as count from tools where ${toolConditions(organizationId, filter)}`
  const [row] = await db.query<{ count: number }>(...toStatement('count-tools', query.compile(sqlBuilder)))
  return row?.count ?? 0
}

function toolConditions(organizationId: string, filter: ToolFilter): RawBuilder<unknown> {
  return allOf(
    sql`tools.organization_id = ${organizationId}`,
    filter.names !== undefined && sql`tools.name = any(${filter.names}::text[])`,
    filter.ids !== undefined && sql`tools.id = any(${filter.ids}::text[])`,
    filter.nameContains !== undefined && sql`tools.name ilike ${containsPattern(filter.nameContains)}`,
    filter.types !== undefined && sql`tools.tool_type = any(${filter.types}::text[])`,
    filter.excludedTypes !== undefined && sql`tools.tool_type <> all(${filter.excludedTypes}::text[])`,
  )
}
