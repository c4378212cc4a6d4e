import { type Queryable, statement } from '#store/db.ts'
import type { NewRun } from './start-run.ts'

const text = (threadFilter: string): string => `
select coalesce(c.active_run_id, (select r.id from runs as r
  where r.organization_id = c.organization_id and r.conversation_id = c.id and r.status = 'created'
  order by r.queue_seq limit 1)) as run_id
from conversations as c where c.organization_id = $1 and ${threadFilter} and c.deleted_at is null`

const findInDefault = statement('find-thread-owner', text('c.agent_id = $2 and c.is_default'))
const findInConversation = statement('find-thread-owner-in-conversation', text('c.id = $2'))

/** The run that a thread is busy with, or that comes next. */
export async function findThreadOwner(
  db: Queryable,
  organizationId: string,
  thread: NewRun['thread'],
): Promise<string | 'nobody' | 'no-thread'> {
  const rows =
    'agentId' in thread
      ? await db.query<{ run_id: string | null }>(findInDefault, [organizationId, thread.agentId])
      : await db.query<{ run_id: string | null }>(findInConversation, [organizationId, thread.conversationId])
  const [row] = rows
  return row === undefined ? 'no-thread' : (row.run_id ?? 'nobody')
}

const listBefore = statement(
  'list-runs-before',
  `
select r.id from runs as w
join runs as r on r.organization_id = w.organization_id and r.agent_id = w.agent_id and r.conversation_id = w.conversation_id
where w.organization_id = $1 and w.id = $2 and w.status = 'created'
  and r.status in ('created', 'running') and r.queue_seq < w.queue_seq
order by r.queue_seq desc limit 1000`,
)

/** What a run waits for in its thread, the newest first; nothing where it does not wait any more. */
export async function listRunsBefore(db: Queryable, organizationId: string, runId: string): Promise<string[]> {
  return (await db.query<{ id: string }>(listBefore, [organizationId, runId])).map((row) => row.id)
}
