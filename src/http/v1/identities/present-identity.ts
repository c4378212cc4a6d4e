import type { IdentityRow } from '#store/identities/identity-row.ts'
import type { IdentityWire } from './identity-schema.ts'

/** A stored identity as the wire shows it. */
export function presentIdentity(row: IdentityRow): IdentityWire {
  return {
    id: row.id,
    identifier_key: row.identifier_key,
    name: row.name,
    identity_type: row.identity_type,
    project_id: row.project_id,
    agent_ids: row.agent_ids,
    block_ids: row.block_ids,
    properties: row.properties as IdentityWire['properties'],
  }
}
