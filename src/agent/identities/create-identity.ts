import { resolveBlocks } from '#agent/agent-blocks.ts'
import type { AgentAuthor } from '#agent/create-agent.ts'
import { newId } from '#platform/ids.ts'
import { requireAgents } from '#store/agents/require-agent.ts'
import { isUniqueViolation } from '#store/database-error.ts'
import type { Db } from '#store/db.ts'
import { getIdentity } from '#store/identities/identity-reader.ts'
import type { IdentityProperty, IdentityRow, IdentityType } from '#store/identities/identity-row.ts'
import {
  attachIdentity,
  insertIdentity,
  setIdentityTargets,
  upsertIdentity as upsertRow,
} from '#store/identities/identity-writer.ts'
import { checkProperties, duplicateKey } from './identity-rules.ts'

/** An identity as a client asks for it; null and undefined both mean "not said". */
export interface NewIdentityInput {
  identifier_key: string
  name: string
  identity_type: IdentityType
  project_id?: string | null | undefined
  agent_ids?: readonly string[] | null | undefined
  block_ids?: readonly string[] | null | undefined
  properties?: readonly IdentityProperty[] | null | undefined
}

/** Throws conflict (the project has an identity of this key), not_found (agents, blocks), unprocessable (properties). */
export async function createIdentity(db: Db, author: AgentAuthor, input: NewIdentityInput): Promise<IdentityRow> {
  const { organizationId, userId } = author
  const properties = checkProperties(input.properties ?? [])
  const targets = await checkTargets(db, organizationId, input)
  const id = newId('identity')
  return db.transaction(async (tx) => {
    await insertIdentity(tx, organizationId, { ...plainFields(author, input), id, properties }, userId).catch(
      (error: unknown) => {
        throw isUniqueViolation(error) ? duplicateKey(input.identifier_key) : error
      },
    )
    await attachIdentity(tx, organizationId, id, 'agent', targets.agentIds)
    await attachIdentity(tx, organizationId, id, 'block', targets.blockIds)
    return getIdentity(tx, organizationId, id)
  })
}

/**
 * Makes the identity of this key, or replaces what the one there is has; agents, blocks and properties that are not said stay.
 * Throws not_found (agents, blocks), unprocessable (properties).
 */
export async function upsertIdentity(db: Db, author: AgentAuthor, input: NewIdentityInput): Promise<IdentityRow> {
  const { organizationId, userId } = author
  const properties = input.properties == null ? null : checkProperties(input.properties)
  const targets = await checkTargets(db, organizationId, input)
  return db.transaction(async (tx) => {
    const wanted = { ...plainFields(author, input), id: newId('identity'), properties }
    const id = await upsertRow(tx, organizationId, wanted, userId)
    if (input.agent_ids != null) await setIdentityTargets(tx, organizationId, id, 'agent', targets.agentIds)
    if (input.block_ids != null) await setIdentityTargets(tx, organizationId, id, 'block', targets.blockIds)
    return getIdentity(tx, organizationId, id)
  })
}

const plainFields = (author: AgentAuthor, input: NewIdentityInput) => ({
  identifier_key: input.identifier_key,
  name: input.name,
  identity_type: input.identity_type,
  project_id: input.project_id ?? author.projectId,
})

/** Throws not_found where one of the agents or blocks does not exist. */
export async function checkTargets(
  db: Db,
  organizationId: string,
  input: Pick<NewIdentityInput, 'agent_ids' | 'block_ids'>,
): Promise<{ agentIds: readonly string[]; blockIds: readonly string[] }> {
  const agentIds = [...new Set(input.agent_ids ?? [])]
  const blockIds = [...new Set(input.block_ids ?? [])]
  await requireAgents(db, organizationId, agentIds)
  await resolveBlocks(db, organizationId, blockIds)
  return { agentIds, blockIds }
}
