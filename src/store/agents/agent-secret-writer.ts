import { type Queryable, statement } from '#store/db.ts'
import { type AgentSecretRow, agentSecretColumns } from './agent-secret-row.ts'

/** A secret to be stored; `id` is used only where the agent does not have the key yet. */
export interface SecretToStore {
  id: string
  agent_id: string
  key: string
  /** Null: the key without a value. */
  sealed: string | null
}

const STORE_SECRETS = statement(
  'store-agent-secrets',
  `insert into agent_secrets as s (organization_id, id, agent_id, key, sealed, created_by_id, last_updated_by_id)
   select $1, n.id, n.agent_id, n.key, n.sealed, $3, $3
   from jsonb_to_recordset($2::jsonb) as n (id text, agent_id text, key text, sealed text)
   on conflict (organization_id, agent_id, key) do update set sealed = excluded.sealed, updated_at = now(),
     last_updated_by_id = excluded.last_updated_by_id
   returning ${agentSecretColumns('s')}`,
)

/** Stores secrets, of one agent or of many, over those of the same key. */
export async function storeAgentSecrets(
  db: Queryable,
  organizationId: string,
  secrets: readonly SecretToStore[],
  userId: string,
): Promise<AgentSecretRow[]> {
  if (secrets.length === 0) return []
  return db.query<AgentSecretRow>(STORE_SECRETS, [organizationId, JSON.stringify(secrets), userId])
}

const DELETE_OTHER_SECRETS = statement(
  'delete-other-agent-secrets',
  'delete from agent_secrets where organization_id = $1 and agent_id = $2 and key <> all($3::text[])',
)

/** Forgets every secret of the agent but those of these keys. */
export async function deleteOtherAgentSecrets(
  db: Queryable,
  organizationId: string,
  agentId: string,
  keptKeys: readonly string[],
): Promise<void> {
  await db.query(DELETE_OTHER_SECRETS, [organizationId, agentId, keptKeys])
}
