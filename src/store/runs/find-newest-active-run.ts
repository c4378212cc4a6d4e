import { type Queryable, statement } from '#store/db.ts'
import type { NewRun } from './start-run.ts'

const text = (threadFilter: string): string => `
select (select r.id from runs as r
  where r.organization_id = c.organization_id and r.agent_id = c.agent_id and r.conversation_id = c.id
    and r.status in ('created', 'running')
  order by r.queue_seq desc limit 1) as run_id
from conversations as c where c.organization_id = $1 and ${threadFilter} and c.deleted_at is null`

const findInDefault = statement('find-newest-active-run', text('c.agent_id = $2 and c.is_default'))
const findInConversation = statement('find-newest-active-run-in-conversation', text('c.id = $2'))

/** The id of the run of a thread that came last and has not ended; undefined where there is none. */
export async function findNewestActiveRun(
  db: Queryable,
  organizationId: string,
  thread: NewRun['thread'],
): Promise<string | undefined | 'no-thread'> {
  const rows =
    'agentId' in thread
      ? await db.query<{ run_id: string | null }>(findInDefault, [organizationId, thread.agentId])
      : await db.query<{ run_id: string | null }>(findInConversation, [organizationId, thread.conversationId])
  const [row] = rows
  return row === undefined ? 'no-thread' : (row.run_id ?? undefined)
}
