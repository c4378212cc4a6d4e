import { type Queryable, statement } from '#store/db.ts'
import { type AgentSecretRow, agentSecretColumns } from './agent-secret-row.ts'

const LIST_SECRETS_OF_AGENTS = statement(
  'list-secrets-of-agents',
  `select ${agentSecretColumns('s')} from agent_secrets as s
   where s.organization_id = $1 and s.agent_id = any($2::text[]) order by s.key`,
)

/** The secrets of each agent by their keys, without what is secret. */
export async function listSecretsOfAgents(
  db: Queryable,
  organizationId: string,
  agentIds: readonly string[],
): Promise<Map<string, AgentSecretRow[]>> {
  const rows = await db.query<AgentSecretRow>(LIST_SECRETS_OF_AGENTS, [organizationId, agentIds])
  return Map.groupBy(rows, (row) => row.agent_id)
}
