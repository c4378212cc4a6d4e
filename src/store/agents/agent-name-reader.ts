import { type Queryable, statement } from '#store/db.ts'

/** What programs that take agents for models see of them. */
export interface AgentName {
  id: string
  name: string
  created_at: Date
}

const LIST_AGENT_NAMES = statement(
  'list-agent-names',
  `select a.id, a.name, a.created_at from agents as a
   where a.organization_id = $1 and a.hidden is not true order by a.created_at desc, a.id desc limit $2`,
)

/** The newest agents that are not hidden. */
export function listAgentNames(db: Queryable, organizationId: string, limit: number): Promise<AgentName[]> {
  return db.query<AgentName>(LIST_AGENT_NAMES, [organizationId, limit])
}

const FIND_AGENT_BY_ID = statement(
  'find-agent-name-by-id',
  'select a.id, a.name, a.created_at from agents as a where a.organization_id = $1 and a.id = $2',
)
const FIND_AGENTS_BY_NAME = statement(
  'find-agents-by-name',
  'select a.id, a.name, a.created_at from agents as a where a.organization_id = $1 and a.name = $2 limit 2',
)

/** The agent of this id, else those of this name: two of them mean that there are more than one. */
export async function findAgentsCalled(db: Queryable, organizationId: string, called: string): Promise<AgentName[]> {
  const byId = await db.query<AgentName>(FIND_AGENT_BY_ID, [organizationId, called])
  return byId.length > 0 ? byId : db.query<AgentName>(FIND_AGENTS_BY_NAME, [organizationId, called])
}
