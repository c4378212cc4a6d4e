import { resolveBlocks } from '#agent/agent-blocks.ts'
import { requireAgent } from '#store/agents/require-agent.ts'
import type { Queryable } from '#store/db.ts'
import { requireIdentities } from '#store/identities/identity-reader.ts'
import * as writer from '#store/identities/identity-writer.ts'

/** An agent or a block, and the identity that it is to have. */
export interface IdentityPlace {
  target: writer.IdentityTarget
  targetId: string
  identityId: string
}

/** Does nothing where it is attached already. Throws not_found (agent or block, identity). */
export async function attachIdentity(db: Queryable, organizationId: string, place: IdentityPlace): Promise<void> {
  await requirePlace(db, organizationId, place)
  await writer.attachIdentity(db, organizationId, place.identityId, place.target, [place.targetId])
}

/** Does nothing where it is not attached. Throws not_found (agent or block, identity). */
export async function detachIdentity(db: Queryable, organizationId: string, place: IdentityPlace): Promise<void> {
  await requirePlace(db, organizationId, place)
  await writer.detachIdentity(db, organizationId, place.identityId, place.target, place.targetId)
}

async function requirePlace(
  db: Queryable,
  organizationId: string,
  { target, targetId, identityId }: IdentityPlace,
): Promise<void> {
  if (target === 'agent') await requireAgent(db, organizationId, targetId)
  else await resolveBlocks(db, organizationId, [targetId])
  await requireIdentities(db, organizationId, [identityId])
}
