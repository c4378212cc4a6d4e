import { duplicateLabel, resolveBlocks } from '#agent/agent-blocks.ts'
import type { AgentAuthor } from '#agent/create-agent.ts'
import { newId } from '#platform/ids.ts'
import { isUniqueViolation } from '#store/database-error.ts'
import type { Db, Queryable } from '#store/db.ts'
import { getGroup } from '#store/groups/group-reader.ts'
import type { GroupRow } from '#store/groups/group-row.ts'
import { attachBlocksToAgents, insertGroup, setGroupAgents, setGroupBlocks } from '#store/groups/group-writer.ts'
import { agentsOf, checkAgents, explainGroupError, type ManagerInput, toManager } from './group-rules.ts'

export interface NewGroupInput {
  agent_ids: readonly string[]
  description: string
  manager_config?: ManagerInput | null | undefined
  project_id?: string | null | undefined
  shared_block_ids?: readonly string[] | null | undefined
  hidden?: boolean | null | undefined
}

/**
 * Makes a group of agents; blocks that it shares are attached to all of them. Throws not_found (agents, blocks), invalid_argument
 * (manager), conflict (a group works behind the manager already; an agent has another block of a shared one's label).
 */
export async function createGroup(db: Db, author: AgentAuthor, input: NewGroupInput): Promise<GroupRow> {
  const { organizationId, userId } = author
  const manager = toManager(input.manager_config ?? { manager_type: 'round_robin' })
  const agentIds = [...new Set(input.agent_ids)]
  await checkAgents(db, organizationId, manager, agentIds)
  const blockIds = (await resolveBlocks(db, organizationId, input.shared_block_ids ?? [])).map((block) => block.id)
  const group = {
    ...manager,
    id: newId('group'),
    project_id: input.project_id ?? author.projectId,
    description: input.description,
    hidden: input.hidden ?? null,
  }
  return db.transaction(async (tx) => {
    try {
      await insertGroup(tx, organizationId, group, userId)
      await setGroupAgents(tx, organizationId, group.id, agentIds)
      await setGroupBlocks(tx, organizationId, group.id, blockIds)
    } catch (error) {
      throw explainGroupError(error)
    }
    await shareBlocks(tx, organizationId, agentsOf({ ...manager, agent_ids: agentIds }), blockIds)
    return getGroup(tx, organizationId, group.id)
  })
}

/** Attaches blocks to agents. Throws conflict where one of them has another block of the label. */
export async function shareBlocks(
  tx: Queryable,
  organizationId: string,
  agentIds: readonly string[],
  blockIds: readonly string[],
): Promise<void> {
  if (blockIds.length === 0) return
  await attachBlocksToAgents(tx, organizationId, agentIds, blockIds).catch((error: unknown) => {
    throw isUniqueViolation(error) ? duplicateLabel() : error
  })
}
