import { type Queryable, statement } from '#store/db.ts'
import { attachedAt } from './attached-at.ts'

const ATTACH_TOOLS = statement(
  'attach-tools',
  `insert into agent_tools (organization_id, agent_id, tool_id, attached_at)
   select $1, $2, given.id, ${attachedAt('given.position')} from unnest($3::text[]) with ordinality as given (id, position)
   on conflict do nothing`,
)

/** Attaches what is not attached yet. Throws a foreign key violation where a tool does not exist. */
export async function attachToolRows(
  db: Queryable,
  organizationId: string,
  agentId: string,
  toolIds: readonly string[],
): Promise<void> {
  await db.query(ATTACH_TOOLS, [organizationId, agentId, toolIds])
}

const DETACH_TOOL = statement(
  'detach-tool',
  'delete from agent_tools where organization_id = $1 and agent_id = $2 and tool_id = $3',
)

/** Does nothing where it is not attached. */
export async function detachToolRow(
  db: Queryable,
  organizationId: string,
  agentId: string,
  toolId: string,
): Promise<void> {
  await db.query(DETACH_TOOL, [organizationId, agentId, toolId])
}

const SET_TOOLS = statement(
  'set-agent-tools',
  `with removed as (
    delete from agent_tools as t where t.organization_id = $1 and t.agent_id = $2 and t.tool_id <> all($3::text[])
  )
  insert into agent_tools (organization_id, agent_id, tool_id, attached_at)
  select $1, $2, given.id, ${attachedAt('given.position')} from unnest($3::text[]) with ordinality as given (id, position)
  on conflict do nothing`,
)

/** Attaches these tools and no others. */
export async function setAgentTools(
  db: Queryable,
  organizationId: string,
  agentId: string,
  toolIds: readonly string[],
): Promise<void> {
  await db.query(SET_TOOLS, [organizationId, agentId, toolIds])
}
