/** A secret of an agent as read: everything but the secret. */
export interface AgentSecretRow {
  id: string
  agent_id: string
  key: string
  /** False where the key was named and no value was given. */
  has_value: boolean
  created_by_id: string | null
  last_updated_by_id: string | null
  created_at: Date
  updated_at: Date
}

export const agentSecretColumns = (alias: string): string =>
  ['id', 'agent_id', 'key', 'created_by_id', 'last_updated_by_id', 'created_at', 'updated_at']
    .map((name) => `${alias}.${name}`)
    .concat(`${alias}.sealed is not null as has_value`)
    .join(', ')
