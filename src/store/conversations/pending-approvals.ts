import { type Queryable, statement } from '#store/db.ts'
import { MESSAGE_COLUMNS, type MessageRow } from '#store/messages/message-row.ts'

const ofDefaults = statement(
  'list-pending-approvals',
  `
select ${MESSAGE_COLUMNS} from conversations as c
join messages as m on m.organization_id = c.organization_id and m.id = c.pending_approval_id
where c.organization_id = $1 and c.agent_id = any($2::text[]) and c.is_default and c.pending_approval_id is not null`,
)

const threads = statement(
  'list-pending-threads',
  `
select c.organization_id, c.id as conversation_id, c.pending_approval_id, c.created_by_id, m.run_id
from conversations as c
join messages as m on m.organization_id = c.organization_id and m.id = c.pending_approval_id
where c.organization_id = $1 and c.agent_id = $2 and c.pending_approval_id is not null and c.deleted_at is null
limit 1000`,
)

const overdue = statement(
  'list-overdue-approvals',
  `
select c.organization_id, c.id as conversation_id, c.pending_approval_id, c.created_by_id
from conversations as c
where c.pending_approval_id is not null and c.pending_approval_at < now() - $1::bigint * interval '1 millisecond'
  and c.deleted_at is null
order by c.pending_approval_at limit $2`,
)

/** A run that waited for an approval and is not to wait any longer. */
const cancelAsker = statement(
  'cancel-run-that-asked',
  `
update runs as r set status = 'cancelled', stop_reason = 'cancelled'
where r.organization_id = $1 and r.id = $2 and r.status = 'completed' and r.stop_reason = 'requires_approval'`,
)

/** The requests that wait in the default conversations of these agents. */
export function listPendingApprovals(
  db: Queryable,
  organizationId: string,
  agentIds: readonly string[],
): Promise<MessageRow[]> {
  return db.query<MessageRow>(ofDefaults, [organizationId, agentIds])
}

/** A thread in which a request waits. */
export interface PendingThread {
  organization_id: string
  conversation_id: string
  pending_approval_id: string
  created_by_id: string | null
}

/** The threads of an agent in which requests wait, with the runs that have asked. */
export function listPendingThreads(
  db: Queryable,
  organizationId: string,
  agentId: string,
): Promise<(PendingThread & { run_id: string })[]> {
  return db.query<PendingThread & { run_id: string }>(threads, [organizationId, agentId])
}

/** Threads of all tenants in which requests have waited for so long, the oldest first. */
export function listOverdueApprovals(db: Queryable, ageMs: number, limit: number): Promise<PendingThread[]> {
  return db.query<PendingThread>(overdue, [ageMs, limit])
}

export async function cancelRunThatAsked(db: Queryable, organizationId: string, runId: string): Promise<void> {
  await db.query(cancelAsker, [organizationId, runId])
}
