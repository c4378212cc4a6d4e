import { type Queryable, statement } from '#store/db.ts'
import type { NewRun } from '#store/runs/start-run.ts'

const text = (threadFilter: string): string => `
select c.id, c.active_run_id, c.queued_run_count from conversations as c
where c.organization_id = $1 and ${threadFilter} and c.deleted_at is null`

const findDefault = statement('find-default-to-compact', text('c.agent_id = $2 and c.is_default'))
const findConversation = statement('find-conversation-to-compact', text('c.id = $2'))

/** A thread, and what works in it. */
export async function findCompactable(
  db: Queryable,
  organizationId: string,
  thread: NewRun['thread'],
): Promise<{ id: string; active_run_id: string | null; queued_run_count: number } | undefined> {
  const isDefault = 'agentId' in thread
  const [row] = await db.query<{ id: string; active_run_id: string | null; queued_run_count: number }>(
    isDefault ? findDefault : findConversation,
    [organizationId, isDefault ? thread.agentId : thread.conversationId],
  )
  return row
}
