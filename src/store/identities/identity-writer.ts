import { attachedAt } from '#store/agents/attached-at.ts'
import { type Queryable, statement } from '#store/db.ts'
import type { IdentityProperty, IdentityType } from './identity-row.ts'

export interface IdentityToWrite {
  id: string
  identifier_key: string
  name: string
  identity_type: IdentityType
  project_id: string | null
  properties: readonly IdentityProperty[]
}

const INSERT_IDENTITY = statement(
  'insert-identity',
  `insert into identities (organization_id, id, identifier_key, name, identity_type, project_id, properties, created_by_id, last_updated_by_id)
   values ($1, $2, $3, $4, $5, $6, $7::jsonb, $8, $8)`,
)

/** Throws a unique violation where the project has an identity of this key. */
export async function insertIdentity(
  db: Queryable,
  organizationId: string,
  identity: IdentityToWrite,
  userId: string,
): Promise<void> {
  await db.query(INSERT_IDENTITY, parametersOf(organizationId, identity, userId))
}

// `properties` of null are those that there are
const UPSERT_IDENTITY = statement(
  'upsert-identity',
  `insert into identities as i (organization_id, id, identifier_key, name, identity_type, project_id, properties, created_by_id, last_updated_by_id)
   values ($1, $2, $3, $4, $5, $6, coalesce($7::jsonb, '[]'), $8, $8)
   on conflict (organization_id, identifier_key, coalesce(project_id, '')) do update set name = $4, identity_type = $5,
     properties = coalesce($7::jsonb, i.properties), last_updated_by_id = $8, updated_at = now()
   returning i.id`,
)

/** Makes the identity of this key in its project, or changes the one there is. Gives its id. */
export async function upsertIdentity(
  db: Queryable,
  organizationId: string,
  identity: Omit<IdentityToWrite, 'properties'> & { properties: readonly IdentityProperty[] | null },
  userId: string,
): Promise<string> {
  const [row] = await db.query<{ id: string }>(UPSERT_IDENTITY, parametersOf(organizationId, identity, userId))
  if (row === undefined) throw new Error('upsert-identity returned no row')
  return row.id
}

function parametersOf(
  organizationId: string,
  identity: Omit<IdentityToWrite, 'properties'> & { properties: readonly IdentityProperty[] | null },
  userId: string,
): unknown[] {
  const { id, identifier_key, name, identity_type, project_id, properties } = identity
  const json = properties === null ? null : JSON.stringify(properties)
  return [organizationId, id, identifier_key, name, identity_type, project_id, json, userId]
}

const LOCK_IDENTITY = statement(
  'lock-identity',
  `select i.id, i.identifier_key, i.name, i.identity_type, i.project_id, i.properties from identities as i
   where i.organization_id = $1 and i.id = $2 for update`,
)

/** The identity's row, locked until the end of the transaction. */
export async function lockIdentity(
  tx: Queryable,
  organizationId: string,
  id: string,
): Promise<IdentityToWrite | undefined> {
  const [row] = await tx.query<IdentityToWrite>(LOCK_IDENTITY, [organizationId, id])
  return row
}

const UPDATE_IDENTITY = statement(
  'update-identity',
  `update identities set identifier_key = $3, name = $4, identity_type = $5, project_id = $6, properties = $7::jsonb,
     last_updated_by_id = $8, updated_at = now()
   where organization_id = $1 and id = $2`,
)

/** Throws a unique violation where the project has another identity of this key. */
export async function updateIdentity(
  tx: Queryable,
  organizationId: string,
  identity: IdentityToWrite,
  userId: string,
): Promise<void> {
  await tx.query(UPDATE_IDENTITY, parametersOf(organizationId, identity, userId))
}

const DELETE_IDENTITY = statement(
  'delete-identity',
  'delete from identities where organization_id = $1 and id = $2 returning id',
)

/** Agents and blocks stay. False where there is none. */
export async function deleteIdentity(db: Queryable, organizationId: string, id: string): Promise<boolean> {
  return (await db.query(DELETE_IDENTITY, [organizationId, id])).length > 0
}

/** What an identity is attached to. */
export type IdentityTarget = 'agent' | 'block'

const ATTACH = {
  agent: attachStatement('agent'),
  block: attachStatement('block'),
}

function attachStatement(target: IdentityTarget) {
  return statement(
    `attach-identity-to-${target}s`,
    `insert into ${target}_identities (organization_id, ${target}_id, identity_id, attached_at)
     select $1, t.id, $2, ${attachedAt('given.position')} from unnest($3::text[]) with ordinality as given (id, position)
     join ${target}s as t on t.organization_id = $1 and t.id = given.id
     on conflict do nothing`,
  )
}

/** Attaches what is not attached yet. */
export async function attachIdentity(
  db: Queryable,
  organizationId: string,
  identityId: string,
  target: IdentityTarget,
  ids: readonly string[],
): Promise<void> {
  if (ids.length > 0) await db.query(ATTACH[target], [organizationId, identityId, ids])
}

const DETACH_OTHERS = {
  agent: statement(
    'detach-identity-from-other-agents',
    'delete from agent_identities where organization_id = $1 and identity_id = $2 and agent_id <> all($3::text[])',
  ),
  block: statement(
    'detach-identity-from-other-blocks',
    'delete from block_identities where organization_id = $1 and identity_id = $2 and block_id <> all($3::text[])',
  ),
}

/** Attaches the identity to these and to no others. */
export async function setIdentityTargets(
  tx: Queryable,
  organizationId: string,
  identityId: string,
  target: IdentityTarget,
  ids: readonly string[],
): Promise<void> {
  await tx.query(DETACH_OTHERS[target], [organizationId, identityId, ids])
  await attachIdentity(tx, organizationId, identityId, target, ids)
}

const DETACH = {
  agent: statement(
    'detach-identity-from-agent',
    'delete from agent_identities where organization_id = $1 and identity_id = $2 and agent_id = $3',
  ),
  block: statement(
    'detach-identity-from-block',
    'delete from block_identities where organization_id = $1 and identity_id = $2 and block_id = $3',
  ),
}

/** Does nothing where it is not attached. */
export async function detachIdentity(
  db: Queryable,
  organizationId: string,
  identityId: string,
  target: IdentityTarget,
  id: string,
): Promise<void> {
  await db.query(DETACH[target], [organizationId, identityId, id])
}

const SET_AGENT_IDENTITIES = statement(
  'set-agent-identities',
  `with removed as (
    delete from agent_identities as a where a.organization_id = $1 and a.agent_id = $2 and a.identity_id <> all($3::text[])
  )
  insert into agent_identities (organization_id, agent_id, identity_id, attached_at)
  select $1, $2, given.id, ${attachedAt('given.position')} from unnest($3::text[]) with ordinality as given (id, position)
  on conflict do nothing`,
)

/** Attaches these identities to the agent and no others. Throws a foreign key violation where one is gone. */
export async function setAgentIdentities(
  tx: Queryable,
  organizationId: string,
  agentId: string,
  identityIds: readonly string[],
): Promise<void> {
  await tx.query(SET_AGENT_IDENTITIES, [organizationId, agentId, identityIds])
}
