import type { AgentAuthor } from '#agent/create-agent.ts'
import { type DomainError, notFound } from '#platform/errors.ts'
import { isUniqueViolation } from '#store/database-error.ts'
import type { Db, Queryable } from '#store/db.ts'
import { getIdentity } from '#store/identities/identity-reader.ts'
import type { IdentityProperty, IdentityRow } from '#store/identities/identity-row.ts'
import {
  attachIdentity,
  deleteIdentity,
  type IdentityTarget,
  lockIdentity,
  setIdentityTargets,
  updateIdentity,
} from '#store/identities/identity-writer.ts'
import { checkTargets, type NewIdentityInput } from './create-identity.ts'
import { checkProperties, duplicateKey } from './identity-rules.ts'

/** What to change: undefined leaves as it is, null empties a list and leaves what cannot be empty. */
export type IdentityChange = { [Field in keyof Omit<NewIdentityInput, 'project_id'>]?: NewIdentityInput[Field] | null }

const identityNotFound = (id: string): DomainError => notFound(`Identity ${id} was not found.`)

/**
 * Changes an identity. As in V1, agents, blocks and properties that are given are added to those there are; an upsert replaces
 * them. Throws not_found, conflict (key), unprocessable (properties).
 */
export async function modifyIdentity(
  db: Db,
  author: AgentAuthor,
  id: string,
  change: IdentityChange,
): Promise<IdentityRow> {
  const { organizationId, userId } = author
  const targets = await checkTargets(db, organizationId, change)
  return db.transaction(async (tx) => {
    const identity = await lockIdentity(tx, organizationId, id)
    if (identity === undefined) throw identityNotFound(id)
    const wanted = {
      ...identity,
      identifier_key: change.identifier_key ?? identity.identifier_key,
      name: change.name ?? identity.name,
      identity_type: change.identity_type ?? identity.identity_type,
      properties: merged(identity.properties, change.properties),
    }
    await updateIdentity(tx, organizationId, wanted, userId).catch((error: unknown) => {
      throw isUniqueViolation(error) ? duplicateKey(wanted.identifier_key) : error
    })
    await addTargets(tx, organizationId, id, 'agent', change.agent_ids && targets.agentIds)
    await addTargets(tx, organizationId, id, 'block', change.block_ids && targets.blockIds)
    return getIdentity(tx, organizationId, id)
  })
}

async function addTargets(
  tx: Queryable,
  organizationId: string,
  id: string,
  target: IdentityTarget,
  ids: readonly string[] | null | undefined,
): Promise<void> {
  if (ids === null) await setIdentityTargets(tx, organizationId, id, target, [])
  else if (ids !== undefined) await attachIdentity(tx, organizationId, id, target, ids)
}

function merged(
  present: readonly IdentityProperty[],
  given: readonly IdentityProperty[] | null | undefined,
): readonly IdentityProperty[] {
  if (given === undefined) return present
  return given === null ? [] : checkProperties([...present, ...given])
}

/** Sets properties by their keys; the others stay. Throws not_found, unprocessable. */
export async function setIdentityProperties(
  db: Db,
  author: AgentAuthor,
  id: string,
  properties: readonly IdentityProperty[],
): Promise<void> {
  await modifyIdentity(db, author, id, { properties })
}

/** Agents and blocks stay. Throws not_found. */
export async function removeIdentity(db: Db, organizationId: string, id: string): Promise<void> {
  if (!(await deleteIdentity(db, organizationId, id))) throw identityNotFound(id)
}
