import type { SecretBox } from '#platform/secret-box.ts'
import type { Queryable } from '#store/db.ts'
import { loadEnvironment } from '#store/tools/load-tool-code.ts'
import { openEnvironment } from '#tools/tool-environment.ts'
import type { Variables } from './resolve-template.ts'

/** The variables that templates of MCP servers are filled from: the sandbox's, and over them those of the agent, if there is one. */
export async function loadAgentVariables(
  db: Queryable,
  secrets: SecretBox,
  organizationId: string,
  agentId: string | null,
): Promise<Variables> {
  return openEnvironment(secrets, organizationId, agentId, await loadEnvironment(db, organizationId, agentId))
}
