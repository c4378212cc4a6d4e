import { type Queryable, statement } from '#store/db.ts'

/** A value that the code of an agent's tools gets, sealed. */
export interface AgentVariableRow {
  key: string
  sealed: string
  /** The variable's id where it stands in the sandbox configuration of the organisation; null for one of the agent's own. */
  sandbox_variable_id: string | null
}

const LIST_AGENT_VARIABLES = statement(
  'list-agent-variables',
  `select v.key, v.sealed_value as sealed, v.id as sandbox_variable_id from sandbox_variables as v
   join sandbox_configs as c on c.organization_id = v.organization_id and c.id = v.sandbox_config_id
   where v.organization_id = $1 and c.sandbox_type = 'local'
   union all
   select s.key, s.sealed, null from agent_secrets as s
   where s.organization_id = $1 and s.agent_id = $2 and s.sealed is not null`,
)

/** The variables of the local sandbox, then those of the agent, which win. */
export function listAgentVariables(
  db: Queryable,
  organizationId: string,
  agentId: string | null,
): Promise<AgentVariableRow[]> {
  return db.query<AgentVariableRow>(LIST_AGENT_VARIABLES, [organizationId, agentId])
}
