export type IdentityType = 'org' | 'user' | 'other'

export interface IdentityProperty {
  key: string
  value: unknown
  type: 'string' | 'number' | 'boolean' | 'json'
}

/** An identity as read, with whatever it is attached to. */
export interface IdentityRow {
  id: string
  identifier_key: string
  name: string
  identity_type: IdentityType
  project_id: string | null
  properties: IdentityProperty[]
  created_at: Date
  /** In the order in which they were attached. */
  agent_ids: string[]
  block_ids: string[]
}

/** The columns of `IdentityRow`, of the table's alias in the statement. */
export const identityColumns = (alias: string): string =>
  `${alias}.id, ${alias}.identifier_key, ${alias}.name, ${alias}.identity_type, ${alias}.project_id, ${alias}.properties, ${alias}.created_at,
    array(select ai.agent_id from agent_identities as ai where ai.organization_id = ${alias}.organization_id
      and ai.identity_id = ${alias}.id order by ai.attached_at, ai.agent_id) as agent_ids,
    array(select bi.block_id from block_identities as bi where bi.organization_id = ${alias}.organization_id
      and bi.identity_id = ${alias}.id order by bi.attached_at, bi.block_id) as block_ids`
