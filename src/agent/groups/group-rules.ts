import { conflict, invalidArgument, notFound } from '#platform/errors.ts'
import { requireAgents } from '#store/agents/require-agent.ts'
import { isForeignKeyViolation, isUniqueViolation } from '#store/database-error.ts'
import type { Queryable } from '#store/db.ts'
import type { GroupManager, ManagerType } from '#store/groups/group-row.ts'

/** A manager as a client describes it; what its type does not know is ignored. */
export type ManagerInput = { manager_type: ManagerType } & {
  [Field in keyof Omit<GroupManager, 'manager_type'>]?: GroupManager[Field] | undefined
}

const DEFAULT_TERMINATION_TOKEN = 'DONE!'

/** What each type of manager knows. */
const FIELDS: Record<ManagerType, readonly (keyof GroupManager)[]> = {
  round_robin: ['max_turns'],
  supervisor: ['manager_agent_id'],
  dynamic: ['manager_agent_id', 'termination_token', 'max_turns'],
  sleeptime: ['manager_agent_id', 'sleeptime_agent_frequency'],
  voice_sleeptime: ['manager_agent_id', 'max_message_buffer_length', 'min_message_buffer_length'],
}

/** The manager over the one there is; an explicit null clears. Throws invalid_argument where it cannot work. */
export function toManager(input: ManagerInput, present?: GroupManager): GroupManager {
  const fields = FIELDS[input.manager_type]
  const fieldOf = <Field extends keyof Omit<GroupManager, 'manager_type'>>(
    field: Field,
  ): GroupManager[Field] | null => {
    if (!fields.includes(field)) return null
    return input[field] === undefined ? (present?.[field] ?? null) : (input[field] as GroupManager[Field])
  }
  const manager: GroupManager = {
    manager_type: input.manager_type,
    manager_agent_id: fieldOf('manager_agent_id'),
    termination_token: fieldOf('termination_token'),
    max_turns: fieldOf('max_turns'),
    sleeptime_agent_frequency: fieldOf('sleeptime_agent_frequency'),
    max_message_buffer_length: fieldOf('max_message_buffer_length'),
    min_message_buffer_length: fieldOf('min_message_buffer_length'),
  }
  if (input.manager_type === 'dynamic') manager.termination_token ??= DEFAULT_TERMINATION_TOKEN
  if (fields.includes('manager_agent_id') && manager.manager_agent_id === null) {
    throw invalidArgument(
      `INVALID_ARGUMENT: manager_config.manager_agent_id: a ${input.manager_type} group needs an agent that manages it.`,
    )
  }
  const { max_message_buffer_length: max, min_message_buffer_length: min } = manager
  if (max !== null && min !== null && max <= min) {
    throw invalidArgument('INVALID_ARGUMENT: max_message_buffer_length must be greater than min_message_buffer_length.')
  }
  return manager
}

/** Throws not_found (manager, members), invalid_argument (the manager is a member too). */
export async function checkAgents(
  db: Queryable,
  organizationId: string,
  manager: GroupManager,
  agentIds: readonly string[],
): Promise<void> {
  const managerId = manager.manager_agent_id
  if (managerId !== null && agentIds.includes(managerId)) {
    throw invalidArgument(
      `INVALID_ARGUMENT: agent_ids: ${managerId} manages the group and cannot be one of its members.`,
    )
  }
  await requireAgents(db, organizationId, managerId === null ? agentIds : [managerId, ...agentIds])
}

/** What the database says of a group that cannot be stored, in words. */
export function explainGroupError(error: unknown): unknown {
  if (isUniqueViolation(error)) {
    return conflict('CONFLICT: A group works behind this agent already. Change that one, or delete it first.', {
      canRetry: false,
    })
  }
  return isForeignKeyViolation(error) ? notFound('An agent or a block of the group was deleted meanwhile.') : error
}

/** The manager and the members. */
export const agentsOf = (group: { manager_agent_id: string | null; agent_ids: readonly string[] }): string[] => [
  ...(group.manager_agent_id === null ? [] : [group.manager_agent_id]),
  ...group.agent_ids,
]
