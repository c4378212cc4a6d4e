import type { SecretBox } from '#platform/secret-box.ts'
import type { Queryable } from '#store/db.ts'
import { type EnvironmentRow, loadEnvironment } from '#store/tools/load-tool-code.ts'
import { variableOwner } from './sandbox/sandbox-variables.ts'

/** What a sealed secret of an agent is bound to: see `SecretBox`. */
export const agentSecretPlace = (agentId: string, key: string): string => `agent_secrets ${agentId} ${key}`

/**
 * The variables of the organisation's sandbox and over them the secrets of the agent, in clear. Throws unavailable where the server's key
 * is not the one that they were sealed with.
 */
export function openEnvironment(
  box: SecretBox,
  organizationId: string,
  agentId: string | null,
  row: EnvironmentRow,
): Record<string, string> {
  const variables = row.variables.map(({ id, key, sealed_value }) => [
    key,
    box.open(sealed_value, variableOwner(organizationId, id)),
  ])
  const secrets = row.secrets.map(({ key, sealed }) => [
    key,
    box.open(sealed, { organizationId, place: agentSecretPlace(agentId ?? '', key) }),
  ])
  return Object.fromEntries([...variables, ...secrets])
}

/** The same, read from the database; `agentId` null is nobody, for whom there are the variables of the sandbox. */
export async function loadToolEnvironment(
  db: Queryable,
  box: SecretBox,
  organizationId: string,
  agentId: string | null,
): Promise<Record<string, string>> {
  return openEnvironment(box, organizationId, agentId, await loadEnvironment(db, organizationId, agentId))
}
