import { invalidArgument, unprocessable } from '#platform/errors.ts'
import { newId } from '#platform/ids.ts'
import type { SecretBox } from '#platform/secret-box.ts'
import { listSecretsOfAgents } from '#store/agents/agent-secret-reader.ts'
import type { AgentSecretRow } from '#store/agents/agent-secret-row.ts'
import { deleteOtherAgentSecrets, type SecretToStore, storeAgentSecrets } from '#store/agents/agent-secret-writer.ts'
import type { Queryable } from '#store/db.ts'
import { agentSecretPlace } from '#tools/tool-environment.ts'

/** Keys and values; an empty value keeps the key in sight and has nothing to tell. */
export type SecretValues = Readonly<Record<string, string>>

/** Stands for a value that is there, wherever secrets are shown. Sent back, it means "as it was". */
export const SECRET_MASK = '********'

const MAX_SECRETS = 200
const MAX_KEY_LENGTH = 256
const MAX_VALUE_LENGTH = 65_536
/** Names of environment variables, generously: anything but '=' and what cannot be seen. */
const KEY = /^[^\s=\p{C}]+$/u

/** Throws unprocessable for a key that no environment can have, or too much of anything. Values are never named. */
export function checkSecrets(secrets: SecretValues): void {
  const entries = Object.entries(secrets)
  if (entries.length > MAX_SECRETS) {
    throw unprocessable(`An agent can have ${MAX_SECRETS} secrets, not ${entries.length}.`)
  }
  for (const [key, value] of entries) {
    if (key.length > MAX_KEY_LENGTH || !KEY.test(key)) {
      throw unprocessable(
        `secrets: ${JSON.stringify(key.slice(0, MAX_KEY_LENGTH))} is no name of an environment variable: use up to ${MAX_KEY_LENGTH} characters, without spaces and '='.`,
      )
    }
    if (value.length > MAX_VALUE_LENGTH) {
      throw unprocessable(`secrets.${key}: the value has more than ${MAX_VALUE_LENGTH} characters.`)
    }
  }
}

export interface SecretOwnerAgent {
  organizationId: string
  agentId: string
}

/** Rows of secrets, sealed. Throws invalid_argument where the server has no key to seal them with. */
export function sealSecrets(box: SecretBox, owner: SecretOwnerAgent, secrets: SecretValues): SecretToStore[] {
  const { organizationId, agentId } = owner
  return Object.entries(secrets).map(([key, value]) => ({
    id: newId('agent-env'),
    agent_id: agentId,
    key,
    sealed: value === '' ? null : box.seal(value, { organizationId, place: agentSecretPlace(agentId, key) }),
  }))
}

/** Stores the secrets of an agent that has none yet; gives them in the order of their keys. Throws as `sealSecrets` does. */
export async function addSecrets(
  tx: Queryable,
  box: SecretBox,
  owner: SecretOwnerAgent,
  secrets: SecretValues,
  userId: string,
): Promise<AgentSecretRow[]> {
  refuseMasks(Object.keys(secrets).filter((key) => secrets[key] === SECRET_MASK))
  const rows = await storeAgentSecrets(tx, owner.organizationId, sealSecrets(box, owner, secrets), userId)
  return rows.sort((a, b) => (a.key < b.key ? -1 : 1))
}

/** Gives the agent these secrets and no others; a masked value stays what it was. The agent's row is locked by the caller. */
export async function replaceSecrets(
  tx: Queryable,
  box: SecretBox,
  owner: SecretOwnerAgent,
  secrets: SecretValues,
  userId: string,
): Promise<void> {
  const { organizationId, agentId } = owner
  const masked = Object.keys(secrets).filter((key) => secrets[key] === SECRET_MASK)
  if (masked.length > 0) {
    const existing = (await listSecretsOfAgents(tx, organizationId, [agentId])).get(agentId) ?? []
    refuseMasks(masked.filter((key) => !existing.some((secret) => secret.key === key)))
  }
  const given = Object.fromEntries(Object.entries(secrets).filter(([key]) => !masked.includes(key)))
  const sealed = sealSecrets(box, owner, given)
  await deleteOtherAgentSecrets(tx, organizationId, agentId, Object.keys(secrets))
  await storeAgentSecrets(tx, organizationId, sealed, userId)
}

function refuseMasks(keys: readonly string[]): void {
  if (keys.length === 0) return
  throw invalidArgument(
    `INVALID_ARGUMENT: secrets: ${SECRET_MASK} is how the server shows a secret that it has, and there is none of the name ${keys.join(', ')}. Send the value itself.`,
  )
}
