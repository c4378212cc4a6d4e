import { notFound } from '#platform/errors.ts'
import { attachBlockRow, detachBlockRow } from '#store/agents/agent-block-writer.ts'
import { requireAgent } from '#store/agents/require-agent.ts'
import { isUniqueViolation } from '#store/database-error.ts'
import type { Db } from '#store/db.ts'
import { detachBlockFromAgents, listCompanions } from '#store/groups/group-writer.ts'
import { duplicateLabel, resolveBlocks } from './agent-blocks.ts'

/**
 * Attaches a block; does nothing where it is attached already. Throws not_found (agent, block), conflict (the agent has a
 * block of this label), and what the database throws where it has as many blocks as it can have.
 */
export async function attachBlock(db: Db, organizationId: string, agentId: string, blockId: string): Promise<void> {
  await requireAgent(db, organizationId, agentId)
  const [block] = await resolveBlocks(db, organizationId, [blockId])
  await attachBlockRow(db, organizationId, agentId, blockId).catch((error: unknown) => {
    throw isUniqueViolation(error) ? duplicateLabel(block?.label) : error
  })
}

/** Throws not_found where there is no such agent or the block is not attached to it. The block itself stays. */
export async function detachBlock(db: Db, organizationId: string, agentId: string, blockId: string): Promise<void> {
  await requireAgent(db, organizationId, agentId)
  await db.transaction(async (tx) => {
    if (!(await detachBlockRow(tx, organizationId, agentId, blockId))) {
      throw notFound(`Block ${blockId} is not attached to agent ${agentId}.`)
    }
    // it was shared with whoever works behind the agent
    await detachBlockFromAgents(tx, organizationId, await listCompanions(tx, organizationId, agentId), blockId)
  })
}
