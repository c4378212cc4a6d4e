import { newOrderedId } from '#platform/ids.ts'
import { type Db, type Queryable, statement } from '#store/db.ts'
import { NEW_MESSAGE_COLUMNS, type NewMessage, newMessageRows } from '#store/messages/message-row.ts'

const lock = statement(
  'lock-default-conversation',
  'select c.id from conversations as c where c.organization_id = $1 and c.agent_id = $2 and c.is_default for update',
)

const IS_SHARED = `exists (select from conversation_shares as s
    where s.organization_id = m.organization_id and s.source_id = m.conversation_id and m.seq between s.from_seq and s.to_seq)`

/**
 * Empties a thread that no run owns or waits for: all its messages but the system message, and its counters. What forks share stays
 * for the next statement.
 */
const reset = statement(
  'reset-thread',
  `
with thread as (
  update conversations as c set message_count = 1, context_start_seq = 0, context_start_at = c.system_message_created_at,
    summary_message_id = null, summary_message_created_at = null, pending_approval_id = null, pending_approval_at = null,
    last_message_at = null, updated_at = now()
  where c.organization_id = $1 and c.agent_id = $2 and c.is_default and c.active_run_id is null and c.queued_run_count = 0
  returning c.id, c.system_message_id
), gone as (
  delete from messages as m using thread
  where m.organization_id = $1 and m.conversation_id = thread.id and m.id <> thread.system_message_id and not ${IS_SHARED}
)
select thread.id from thread`,
)

/** Gives what forks share of an emptied thread ($2) to a conversation ($3) that nobody sees: deleted from the beginning. */
const setAside = statement(
  'set-shared-messages-aside',
  `
with aside as (
  insert into conversations (organization_id, id, agent_id, system_message_id, system_message_created_at, system_prompt,
    prompt_metadata, message_count, deleted_at)
  select $1, $3, c.agent_id, c.system_message_id, c.system_message_created_at, '', '{}', n.message_count, now()
  from conversations as c cross join lateral (select count(*)::integer as message_count from messages as m
    where m.organization_id = $1 and m.conversation_id = c.id and m.id <> c.system_message_id) as n
  where c.organization_id = $1 and c.id = $2 and n.message_count > 0
  returning id, system_message_id
), moved as (
  update messages as m set conversation_id = aside.id from aside
  where m.organization_id = $1 and m.conversation_id = $2 and m.id <> aside.system_message_id
)
update conversation_shares as s set source_id = aside.id from aside where s.organization_id = $1 and s.source_id = $2`,
)

// The queue first, as everywhere: whoever is making a vector of one of them finds that its token is gone, and begins anew with the place that it has now.
const MOVED_VECTORS = [
  statement(
    'requeue-embeddings-set-aside',
    `update embedding_queue as q set token = null, due_at = now() from messages as m
     where m.organization_id = $1 and m.conversation_id = $2 and q.organization_id = $1 and q.source_id = m.id`,
  ),
  statement(
    'set-embeddings-aside',
    `update embeddings as e set part_id = $2 from messages as m
     where m.organization_id = $1 and m.conversation_id = $2 and e.organization_id = $1 and e.source_id = m.id`,
  ),
]

/** Messages that no run has said, at the end of a thread. */
const append = statement(
  'append-first-messages',
  `
with thread as (
  update conversations as c set message_count = c.message_count + jsonb_array_length($3::jsonb)
  where c.organization_id = $1 and c.id = $2
  returning c.id, c.agent_id
)
insert into messages (${NEW_MESSAGE_COLUMNS})
${newMessageRows({ from: 'thread', json: '$3::jsonb', organizationId: '$1', agentId: 'thread.agent_id', conversationId: 'thread.id', runId: 'null::text' })}`,
)

const findDefault = statement(
  'find-default-conversation',
  'select c.id, c.active_run_id from conversations as c where c.organization_id = $1 and c.agent_id = $2 and c.is_default',
)

/**
 * Id of the thread, or undefined when it is busy or not there. The lock comes first: a statement that had to wait for the end
 * of a run would not see the messages which that end has committed, and leave them.
 */
export async function emptyDefaultThread(
  db: Db,
  organizationId: string,
  agentId: string,
  firstMessages: readonly NewMessage[] = [],
): Promise<string | undefined> {
  return db.transaction(async (tx) => {
    await tx.query(lock, [organizationId, agentId])
    const [row] = await tx.query<{ id: string }>(reset, [organizationId, agentId])
    if (row !== undefined) {
      const asideId = newOrderedId('conv')
      await tx.query(setAside, [organizationId, row.id, asideId])
      for (const move of MOVED_VECTORS) await tx.query(move, [organizationId, asideId])
    }
    if (row !== undefined && firstMessages.length > 0) {
      await tx.query(append, [organizationId, row.id, JSON.stringify(firstMessages)])
    }
    return row?.id
  })
}

export async function findDefaultThread(
  db: Queryable,
  organizationId: string,
  agentId: string,
): Promise<{ id: string; active_run_id: string | null } | undefined> {
  const [row] = await db.query<{ id: string; active_run_id: string | null }>(findDefault, [organizationId, agentId])
  return row
}
