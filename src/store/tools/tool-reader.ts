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

/** Where a search looks, besides what `ToolFilter` can say. */
export interface ToolSearch {
  /** At least one of them must occur in name, description or tags. */
  terms: readonly string[]
  excluded: readonly string[]
  types: readonly string[] | undefined
  /** At least one of them. */
  tags: readonly string[] | undefined
  limit: number
}

const toTsQuery = (term: string): RawBuilder<unknown> => sql`phraseto_tsquery('english', ${term})`

/** The tools with the most of the terms, in any inflection or as a part of the name, first; all of them, newest first, without terms. */
export async function searchTools(db: Queryable, organizationId: string, search: ToolSearch): Promise<ToolRow[]> {
  const { terms, excluded, types, tags, limit } = search
  const found = terms.map(
    (term) => sql`(tools.search @@ ${toTsQuery(term)} or tools.name ilike ${containsPattern(term)})`,
  )
  const conditions = allOf(
    toolConditions(organizationId, { types }),
    tags !== undefined && sql`tools.tags && ${tags}::text[]`,
    found.length > 0 && sql`(${sql.join(found, sql` or `)})`,
    ...excluded.map((term) => sql`not tools.search @@ ${toTsQuery(term)}`),
  )
  const query = sql`select ${sql.raw(toolColumns('tools'))} from tools where ${conditions}
    order by ${relevance(terms, found)}tools.created_at desc, tools.id desc limit ${limit}`
  return db.query<ToolRow>(...toStatement('search-tools', query.compile(sqlBuilder)))
}

/** How many terms were found, then how often and how close together; nothing where there are none. */
function relevance(terms: readonly string[], found: readonly RawBuilder<unknown>[]): RawBuilder<unknown> {
  if (terms.length === 0) return sql``
  const count = sql.join(
    found.map((one) => sql`${one}::int`),
    sql` + `,
  )
  const anyTerm = sql.join(terms.map(toTsQuery), sql` || `)
  return sql`(${count}) desc, ts_rank_cd(tools.search, ${anyTerm}, 32) desc, `
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
