import { newOrderedId } from '#platform/ids.ts'
import { type Queryable, statement } from '#store/db.ts'
import type { NewRun } from '#store/runs/start-run.ts'
import type { ConversationFields } from './conversation-writer.ts'

const lockText = (threadFilter: string): string => `
select c.id, c.agent_id, c.summary, c.description, c.model, c.model_settings, c.context_window_limit, c.context_start_seq,
  c.context_start_at
from conversations as c where c.organization_id = $1 and ${threadFilter} and c.deleted_at is null
for update`

const lockDefault = statement('lock-thread-to-fork', lockText('c.agent_id = $2 and c.is_default'))
const lockConversation = statement('lock-conversation-to-fork', lockText('c.id = $2 and not c.is_default'))

export interface ForkSource
  extends Pick<ConversationFields, 'summary' | 'description' | 'model' | 'model_settings' | 'context_window_limit'> {
  id: string
  agent_id: string
  context_start_seq: number
  context_start_at: Date
}

/** The thread to be forked, locked until the end of the transaction, so that nothing of it goes away meanwhile. */
export async function lockForkSource(
  tx: Queryable,
  organizationId: string,
  thread: NewRun['thread'],
): Promise<ForkSource | undefined> {
  const [row] =
    'agentId' in thread
      ? await tx.query<ForkSource>(lockDefault, [organizationId, thread.agentId])
      : await tx.query<ForkSource>(lockConversation, [organizationId, thread.conversationId])
  return row
}

/**
 * Shares with the fork ($2) what its source ($3) has in context: its own messages but the system message, and what it shares itself;
 * up to a position ($4) if one is given.
 */
const share = statement(
  'share-messages',
  `
insert into conversation_shares (organization_id, conversation_id, source_id, from_seq, to_seq)
select $1, $2, ranges.source_id, ranges.from_seq, ranges.to_seq
from (
  select c.id as source_id, greatest(c.context_start_seq, s.seq + 1) as from_seq,
    least((select max(m.seq) from messages as m where m.organization_id = $1 and m.conversation_id = c.id), $4::bigint) as to_seq
  from conversations as c
  join messages as s on s.organization_id = c.organization_id and s.id = c.system_message_id
    and s.created_at = c.system_message_created_at
  where c.organization_id = $1 and c.id = $3
  union all
  select p.source_id, greatest(p.from_seq, c.context_start_seq), least(p.to_seq, $4::bigint)
  from conversation_shares as p
  join conversations as c on c.organization_id = p.organization_id and c.id = p.conversation_id
  where p.organization_id = $1 and p.conversation_id = $3
) as ranges
where ranges.from_seq <= ranges.to_seq`,
)

/**
 * The summary of what its source said before counts for the fork as well. It was said after the messages that it stands before: a fork
 * that ends at one of those does not share it, and gets a copy ($4) of its own, which stays when the source goes.
 */
const shareSummary = statement(
  'share-summary',
  `
with source as (
  select m.id, m.created_at, m.content, not exists (select from conversation_shares as s
    where s.organization_id = $1 and s.conversation_id = $2 and s.source_id = m.conversation_id
      and m.seq between s.from_seq and s.to_seq) as is_copied
  from conversations as c join messages as m on m.organization_id = c.organization_id and m.id = c.summary_message_id
    and m.created_at between c.summary_message_created_at - interval '1 millisecond'
      and c.summary_message_created_at + interval '1 millisecond'
  where c.organization_id = $1 and c.id = $3
), copied as (
  insert into messages (organization_id, id, agent_id, conversation_id, role, content, created_at)
  select $1, $4, f.agent_id, f.id, 'summary', source.content, now()
  from source cross join conversations as f where source.is_copied and f.organization_id = $1 and f.id = $2
)
update conversations as f set
  summary_message_id = case when source.is_copied then $4 else source.id end,
  summary_message_created_at = case when source.is_copied then now() else source.created_at end,
  message_count = f.message_count + source.is_copied::integer
from source where f.organization_id = $1 and f.id = $2`,
)

export async function shareMessages(
  tx: Queryable,
  organizationId: string,
  ids: { forkId: string; sourceId: string },
  untilSeq: number | undefined,
): Promise<void> {
  await tx.query(share, [organizationId, ids.forkId, ids.sourceId, untilSeq ?? null])
  await tx.query(shareSummary, [organizationId, ids.forkId, ids.sourceId, newOrderedId('message')])
}

const findShared = statement(
  'find-shared-message',
  `
select m.id from conversation_shares as s
join messages as m on m.organization_id = s.organization_id and m.id = $3 and m.conversation_id = s.source_id
  and m.seq between s.from_seq and s.to_seq
where s.organization_id = $1 and s.conversation_id = $2`,
)

/** Whether a fork shares this message. */
export async function isShared(
  db: Queryable,
  organizationId: string,
  forkId: string,
  messageId: string,
): Promise<boolean> {
  return (await db.query(findShared, [organizationId, forkId, messageId])).length > 0
}
