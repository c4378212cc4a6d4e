import { resolveBlocks } from '#agent/agent-blocks.ts'
import type { AgentAuthor } from '#agent/create-agent.ts'
import { invalidArgument } from '#platform/errors.ts'
import type { Db } from '#store/db.ts'
import { getGroup, groupNotFound } from '#store/groups/group-reader.ts'
import type { GroupRow } from '#store/groups/group-row.ts'
import {
  deleteGroup,
  detachBlockFromAgents,
  disableSleeptime,
  lockGroup,
  setGroupAgents,
  setGroupBlocks,
  updateGroup,
} from '#store/groups/group-writer.ts'
import { type NewGroupInput, shareBlocks } from './create-group.ts'
import { agentsOf, checkAgents, explainGroupError, toManager } from './group-rules.ts'

/** What to change: undefined leaves as it is, null clears what can be empty, lists replace. */
export type GroupChange = { [Field in keyof Omit<NewGroupInput, 'hidden'>]?: NewGroupInput[Field] | null }

/** Throws not_found, and what `createGroup` throws; invalid_argument also for another type of manager. */
export async function modifyGroup(db: Db, author: AgentAuthor, id: string, change: GroupChange): Promise<GroupRow> {
  const { organizationId, userId } = author
  const blocks = change.shared_block_ids == null ? [] : await resolveBlocks(db, organizationId, change.shared_block_ids)
  return db.transaction(async (tx) => {
    const group = await lockGroup(tx, organizationId, id)
    if (group === undefined) throw groupNotFound(id)
    const { manager_config: config } = change
    if (config != null && config.manager_type !== group.manager_type) {
      throw invalidArgument(
        `INVALID_ARGUMENT: manager_config.manager_type: a ${group.manager_type} group stays one. Make another group instead.`,
      )
    }
    const manager = config == null ? toManager({ manager_type: group.manager_type }, group) : toManager(config, group)
    const before = await getGroup(tx, organizationId, id)
    const agentIds = change.agent_ids === undefined ? before.agent_ids : [...new Set(change.agent_ids ?? [])]
    const blockIds = change.shared_block_ids === undefined ? before.shared_block_ids : blocks.map((block) => block.id)
    await checkAgents(tx, organizationId, manager, agentIds)
    try {
      const description = change.description ?? group.description
      const projectId = change.project_id === undefined ? group.project_id : change.project_id
      await updateGroup(tx, organizationId, { ...group, ...manager, description, project_id: projectId }, userId)
      await setGroupAgents(tx, organizationId, id, agentIds)
      await setGroupBlocks(tx, organizationId, id, blockIds)
    } catch (error) {
      throw explainGroupError(error)
    }
    if (change.agent_ids !== undefined || change.shared_block_ids !== undefined) {
      await shareBlocks(tx, organizationId, agentsOf({ ...manager, agent_ids: agentIds }), blockIds)
    }
    return getGroup(tx, organizationId, id)
  })
}

/** Its agents stay; one that it worked behind is told so. Throws not_found. */
export async function removeGroup(db: Db, organizationId: string, id: string): Promise<void> {
  await db.transaction(async (tx) => {
    const group = await lockGroup(tx, organizationId, id)
    if (group === undefined || !(await deleteGroup(tx, organizationId, id))) throw groupNotFound(id)
    const isBehind = group.manager_type === 'sleeptime' || group.manager_type === 'voice_sleeptime'
    if (isBehind && group.manager_agent_id !== null) await disableSleeptime(tx, organizationId, group.manager_agent_id)
  })
}

/** Gives a block to the group and to all its agents. Throws not_found, conflict (an agent has another block of the label). */
export async function attachBlockToGroup(db: Db, organizationId: string, id: string, blockId: string): Promise<void> {
  await resolveBlocks(db, organizationId, [blockId])
  await db.transaction(async (tx) => {
    if ((await lockGroup(tx, organizationId, id)) === undefined) throw groupNotFound(id)
    const group = await getGroup(tx, organizationId, id)
    const blockIds = [...new Set([...group.shared_block_ids, blockId])]
    await setGroupBlocks(tx, organizationId, id, blockIds)
    await shareBlocks(tx, organizationId, agentsOf(group), [blockId])
  })
}

/** Takes a block from the group and from all its agents; does nothing where it is not there. Throws not_found. */
export async function detachBlockFromGroup(db: Db, organizationId: string, id: string, blockId: string): Promise<void> {
  await resolveBlocks(db, organizationId, [blockId])
  await db.transaction(async (tx) => {
    if ((await lockGroup(tx, organizationId, id)) === undefined) throw groupNotFound(id)
    const group = await getGroup(tx, organizationId, id)
    const others = group.shared_block_ids.filter((shared) => shared !== blockId)
    if (others.length === group.shared_block_ids.length) return
    await setGroupBlocks(tx, organizationId, id, others)
    await detachBlockFromAgents(tx, organizationId, agentsOf(group), blockId)
  })
}
