import { SECRET_MASK } from '#agent/agent-secrets.ts'
import { presentTime } from '#http/wire/nullable.ts'
import type { AgentSecretRow } from '#store/agents/agent-secret-row.ts'
import type { AgentSecretWire } from './agent-schema.ts'

/** A secret as the wire shows it: that it is there, not what it is. */
export function presentSecret(row: AgentSecretRow): AgentSecretWire {
  return {
    id: row.id,
    agent_id: row.agent_id,
    key: row.key,
    value: row.has_value ? SECRET_MASK : '',
    description: null,
    created_by_id: row.created_by_id,
    last_updated_by_id: row.last_updated_by_id,
    created_at: presentTime(row.created_at),
    updated_at: presentTime(row.updated_at),
  }
}
