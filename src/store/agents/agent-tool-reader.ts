import { sql } from 'kysely'
import { sqlBuilder, toStatement } from '#store/builder.ts'
import { type Queryable, statement } from '#store/db.ts'
import { keysetPage, type PageRequest } from '#store/page.ts'
import { type ToolRow, toolColumns } from '#store/tools/tool-row.ts'

const LIST_TOOLS_OF_AGENTS = statement(
  'list-tools-of-agents',
  `select at.agent_id as of_agent, ${toolColumns('t')} from agent_tools as at
   join tools as t on t.organization_id = at.organization_id and t.id = at.tool_id
   where at.organization_id = $1 and at.agent_id = any($2::text[])
   order by at.attached_at, at.tool_id`,
)

/** The tools of each agent, in the order in which they were attached. */
export async function listToolsOfAgents(
  db: Queryable,
  organizationId: string,
  agentIds: readonly string[],
): Promise<Map<string, ToolRow[]>> {
  const rows = await db.query<ToolRow & { of_agent: string }>(LIST_TOOLS_OF_AGENTS, [organizationId, agentIds])
  const byAgent = Map.groupBy(rows, (row) => row.of_agent)
  return new Map([...byAgent].map(([id, tools]) => [id, tools.map(({ of_agent: _, ...tool }) => tool)]))
}

const LIST_TOOLS_BY_NAME_OR_ID = statement(
  'list-tools-by-name-or-id',
  `select ${toolColumns('t')} from tools as t
   where t.organization_id = $1 and (t.name = any($2::text[]) or t.id = any($3::text[]))`,
)

/** The tools that have one of these names or ids, in no order. */
export function listToolsByNameOrId(
  db: Queryable,
  organizationId: string,
  names: readonly string[],
  ids: readonly string[],
): Promise<ToolRow[]> {
  return db.query<ToolRow>(LIST_TOOLS_BY_NAME_OR_ID, [organizationId, names, ids])
}

/** A page of the agent's tools. */
export async function listToolsOfAgent(
  db: Queryable,
  organizationId: string,
  agentId: string,
  page: PageRequest,
): Promise<ToolRow[]> {
  const paging = keysetPage(page, { table: 'tools', organizationId })
  const query = sql`select ${sql.raw(toolColumns('tools'))} from tools
    where tools.organization_id = ${organizationId} and ${paging.where} and tools.id in (
      select at.tool_id from agent_tools as at where at.organization_id = ${organizationId} and at.agent_id = ${agentId})
    order by ${paging.orderBy} limit ${page.limit}`
  return paging.finish(await db.query<ToolRow>(...toStatement('list-tools-of-agent', query.compile(sqlBuilder))))
}
