import { resetThread } from '#agent/reset-thread.ts'
import type { ModelRegistry } from '#llm/model.ts'
import type { Db } from '#store/db.ts'
import { getGroup } from '#store/groups/group-reader.ts'
import { agentsOf } from './group-rules.ts'

/**
 * Forgets what was said in the default conversations of the group's agents, its manager's too. Throws not_found, conflict (one of
 * them works; those before it are reset, and asking again does the rest).
 */
export async function resetGroup(
  deps: { db: Db; models: ModelRegistry },
  organizationId: string,
  groupId: string,
): Promise<void> {
  const group = await getGroup(deps.db, organizationId, groupId)
  for (const agentId of agentsOf(group)) await resetThread(deps.db, deps.models, organizationId, agentId)
}
