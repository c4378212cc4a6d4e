import { sql } from 'kysely'
import { notFound } from '#platform/errors.ts'
import { type BlockRow, blockColumns, blockTagsColumn } from '#store/blocks/block-row.ts'
import { sqlBuilder, toStatement } from '#store/builder.ts'
import { type Queryable, statement } from '#store/db.ts'
import { keysetPage, type PageRequest } from '#store/page.ts'
import { requireAgent } from './require-agent.ts'

const LIST_BLOCKS_OF_AGENTS = statement(
  'list-blocks-of-agents',
  `select ab.agent_id as of_agent, ${blockColumns('b')}, ${blockTagsColumn('b')} from agent_blocks as ab
   join blocks as b on b.organization_id = ab.organization_id and b.id = ab.block_id
   where ab.organization_id = $1 and ab.agent_id = any($2::text[])
   order by ab.attached_at, ab.block_id`,
)

/** The blocks of each agent, in the order in which they were attached. */
export async function listBlocksOfAgents(
  db: Queryable,
  organizationId: string,
  agentIds: readonly string[],
): Promise<Map<string, BlockRow[]>> {
  const rows = await db.query<BlockRow & { of_agent: string }>(LIST_BLOCKS_OF_AGENTS, [organizationId, agentIds])
  const byAgent = Map.groupBy(rows, (row) => row.of_agent)
  return new Map([...byAgent].map(([id, blocks]) => [id, blocks.map(({ of_agent: _, ...block }) => block)]))
}

const FIND_BLOCK_OF_AGENT = statement(
  'find-block-of-agent',
  `select ${blockColumns('b')}, ${blockTagsColumn('b')} from agent_blocks as ab
   join blocks as b on b.organization_id = ab.organization_id and b.id = ab.block_id
   where ab.organization_id = $1 and ab.agent_id = $2 and ab.label = $3`,
)

/** The agent's block of this label. Throws not_found where there is no such agent or block. */
export async function getBlockOfAgent(
  db: Queryable,
  organizationId: string,
  agentId: string,
  label: string,
): Promise<BlockRow> {
  const [row] = await db.query<BlockRow>(FIND_BLOCK_OF_AGENT, [organizationId, agentId, label])
  if (row !== undefined) return row
  await requireAgent(db, organizationId, agentId)
  throw notFound(`Block not found: agent ${agentId} has no block with the label '${label}'.`)
}

/** A page of the agent's blocks. */
export async function listBlocksOfAgent(
  db: Queryable,
  organizationId: string,
  agentId: string,
  page: PageRequest,
): Promise<BlockRow[]> {
  const paging = keysetPage(page, { table: 'blocks', organizationId })
  const query = sql`select ${sql.raw(blockColumns('blocks'))}, ${sql.raw(blockTagsColumn('blocks'))} from blocks
    where blocks.organization_id = ${organizationId} and ${paging.where} and blocks.id in (
      select ab.block_id from agent_blocks as ab where ab.organization_id = ${organizationId} and ab.agent_id = ${agentId})
    order by ${paging.orderBy} limit ${page.limit}`
  return paging.finish(await db.query<BlockRow>(...toStatement('list-blocks-of-agent', query.compile(sqlBuilder))))
}

const LIST_BLOCKS_BY_ID = statement(
  'list-blocks-by-id',
  `select ${blockColumns('b')}, ${blockTagsColumn('b')} from blocks as b
   where b.organization_id = $1 and b.id = any($2::text[])`,
)

/** The blocks of these ids, in no order; ids that do not exist are missing. */
export function listBlocksById(db: Queryable, organizationId: string, ids: readonly string[]): Promise<BlockRow[]> {
  return db.query<BlockRow>(LIST_BLOCKS_BY_ID, [organizationId, ids])
}
