import type { SecretBox } from '#platform/secret-box.ts'
import type { Queryable } from '#store/db.ts'
import { listAgentVariables } from '#store/mcp-servers/agent-variable-reader.ts'
import type { Variables } from './resolve-template.ts'

/** The variables that templates of MCP servers are filled from: the sandbox's, and over them those of the agent, if there is one. */
export async function loadAgentVariables(
  db: Queryable,
  secrets: SecretBox,
  organizationId: string,
  agentId: string | null,
): Promise<Variables> {
  const rows = await listAgentVariables(db, organizationId, agentId)
  return Object.fromEntries(
    rows.map(({ key, sealed, sandbox_variable_id: id }) => {
      const place = id === null ? `agent_secrets ${agentId} ${key}` : `sandbox_variables ${id}`
      return [key, secrets.open(sealed, { organizationId, place })]
    }),
  )
}
