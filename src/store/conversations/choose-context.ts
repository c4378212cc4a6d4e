import { type Queryable, statement } from '#store/db.ts'

const LOCK_CONTEXT = statement(
  'lock-context',
  `select c.id as conversation_id, c.system_message_id, c.summary_message_id, c.pending_approval_id,
     c.active_run_id is not null or c.queued_run_count > 0 as is_busy
   from conversations as c where c.organization_id = $1 and c.agent_id = $2 and c.is_default for update`,
)

export interface LockedContext {
  conversation_id: string
  system_message_id: string
  summary_message_id: string | null
  /** The request for an approval that waits. */
  pending_approval_id: string | null
  is_busy: boolean
}

/** The agent's default thread, locked until the end of the transaction; undefined where there is no such agent. */
export async function lockDefaultContext(
  tx: Queryable,
  organizationId: string,
  agentId: string,
): Promise<LockedContext | undefined> {
  const [row] = await tx.query<LockedContext>(LOCK_CONTEXT, [organizationId, agentId])
  return row
}

const LIST_NEWEST_IDS = statement(
  'list-newest-message-ids',
  `select newest.id, newest.seq from (
     select m.id, m.seq from messages as m
     where m.organization_id = $1 and m.conversation_id = $2 and m.id <> $3 and m.role not in ('note', 'summary')
     order by m.seq desc limit $4
   ) as newest order by newest.seq`,
)

/** Ids of the newest so many messages of a thread but its system message, oldest first. */
export function listNewestMessages(
  tx: Queryable,
  organizationId: string,
  thread: LockedContext,
  limit: number,
): Promise<{ id: string; seq: number }[]> {
  const { conversation_id, system_message_id } = thread
  return tx.query<{ id: string; seq: number }>(LIST_NEWEST_IDS, [
    organizationId,
    conversation_id,
    system_message_id,
    limit,
  ])
}

/** `$3` null: nothing that was said is in context. The time is the earliest, since imported messages have times of their own. */
const BEGIN_CONTEXT = statement(
  'begin-context',
  `update conversations as c set
     context_start_seq = coalesce($3::bigint, (select max(m.seq) + 1 from messages as m
       where m.organization_id = $1 and m.conversation_id = $2)),
     context_start_at = coalesce((select min(m.created_at) from messages as m
       where m.organization_id = $1 and m.conversation_id = $2 and m.seq >= $3::bigint and m.id <> c.system_message_id),
       c.context_start_at),
     summary_message_id = case when $4::boolean then c.summary_message_id end,
     summary_message_created_at = case when $4::boolean then c.summary_message_created_at end
   where c.organization_id = $1 and c.id = $2`,
)

/** Lets the context of a thread begin with the message of this sequence; undefined: after all that there are. Its summary stays, or goes. */
export async function beginContext(
  tx: Queryable,
  organizationId: string,
  conversationId: string,
  startSeq: number | undefined,
  keepsSummary: boolean,
): Promise<void> {
  await tx.query(BEGIN_CONTEXT, [organizationId, conversationId, startSeq ?? null, keepsSummary])
}
