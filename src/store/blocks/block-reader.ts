import { type RawBuilder, sql } from 'kysely'
import { allOf } from '#store/all-of.ts'
import { sqlBuilder, toStatement } from '#store/builder.ts'
import { containsPattern } from '#store/contains-pattern.ts'
import { type Queryable, statement } from '#store/db.ts'
import { hasIdentity } from '#store/identities/has-identity.ts'
import { keysetPage, type PageRequest } from '#store/page.ts'
import { requireCursor } from '#store/require-cursor.ts'
import { type BlockRow, blockColumns, blockTagsColumn } from './block-row.ts'

const FIND_BLOCK = statement(
  'find-block',
  `select ${blockColumns('b')}, ${blockTagsColumn('b')} from blocks as b where b.organization_id = $1 and b.id = $2`,
)

export async function findBlock(db: Queryable, organizationId: string, blockId: string): Promise<BlockRow | undefined> {
  const [row] = await db.query<BlockRow>(FIND_BLOCK, [organizationId, blockId])
  return row
}

/** Every condition that is given must hold. */
export interface BlockFilter {
  label?: string | undefined
  templatesOnly?: boolean | undefined
  templateName?: string | undefined
  projectId?: string | undefined
  tags?: readonly string[] | undefined
  /** All of the tags instead of one of them. */
  matchesAllTags?: boolean | undefined
  /** Substrings, in any case. */
  labelSearch?: string | undefined
  descriptionSearch?: string | undefined
  valueSearch?: string | undefined
  /** Number of agents that the block is attached to. */
  agentCountAbove?: number | undefined
  agentCountBelow?: number | undefined
  agentCountIn?: readonly number[] | undefined
  /** Only blocks that have this identity; one with any of these keys. */
  identityId?: string | undefined
  identifierKeys?: readonly string[] | undefined
  includesHidden?: boolean | undefined
}

export async function listBlocks(
  db: Queryable,
  organizationId: string,
  filter: BlockFilter,
  page: PageRequest,
): Promise<BlockRow[]> {
  const paging = keysetPage(page, { table: 'blocks', organizationId })
  const query = sql`select ${sql.raw(blockColumns('blocks'))}, ${sql.raw(blockTagsColumn('blocks'))}
    from blocks where ${blockConditions(organizationId, filter)} and ${paging.where}
    order by ${paging.orderBy} limit ${page.limit}`
  const rows = await db.query<BlockRow>(...toStatement('list-blocks', query.compile(sqlBuilder)))
  if (rows.length === 0) await requireCursor(db, organizationId, 'blocks', page)
  return paging.finish(rows)
}

export async function countBlocks(db: Queryable, organizationId: string, filter: BlockFilter): Promise<number> {
  const query = sql`select count(*) as count from blocks where ${blockConditions(organizationId, filter)}`
  const [row] = await db.query<{ count: number }>(...toStatement('count-blocks', query.compile(sqlBuilder)))
  return row?.count ?? 0
}

const AGENT_COUNT = sql`(select count(*) from agent_blocks as c
  where c.organization_id = blocks.organization_id and c.block_id = blocks.id)`

function blockConditions(organizationId: string, filter: BlockFilter): RawBuilder<unknown> {
  const contains = (column: string, text: string | undefined) =>
    text !== undefined && sql`${sql.ref(`blocks.${column}`)} ilike ${containsPattern(text)}`
  return allOf(
    sql`blocks.organization_id = ${organizationId}`,
    filter.label !== undefined && sql`blocks.label = ${filter.label}`,
    filter.templatesOnly && sql`blocks.is_template`,
    filter.templateName !== undefined && sql`blocks.template_name = ${filter.templateName}`,
    filter.projectId !== undefined && sql`blocks.project_id = ${filter.projectId}`,
    hasTags(organizationId, filter),
    contains('label', filter.labelSearch),
    contains('description', filter.descriptionSearch),
    contains('value', filter.valueSearch),
    filter.agentCountAbove !== undefined && sql`${AGENT_COUNT} > ${filter.agentCountAbove}`,
    filter.agentCountBelow !== undefined && sql`${AGENT_COUNT} < ${filter.agentCountBelow}`,
    filter.agentCountIn !== undefined && sql`${AGENT_COUNT} = any(${filter.agentCountIn}::bigint[])`,
    hasIdentity('block', organizationId, filter),
    !filter.includesHidden && sql`blocks.hidden is not true`,
  )
}

function hasTags(organizationId: string, filter: BlockFilter): RawBuilder<unknown> | undefined {
  if (filter.tags === undefined || filter.tags.length === 0) return undefined
  const tags = [...new Set(filter.tags)]
  const needed = filter.matchesAllTags ? tags.length : 1
  return sql`blocks.id in (select t.block_id from block_tags as t
    where t.organization_id = ${organizationId} and t.tag = any(${tags}::text[])
    group by t.block_id having count(*) >= ${needed}::integer)`
}
