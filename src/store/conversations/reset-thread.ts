import { type Db, type Queryable, statement } from '#store/db.ts'
import { NEW_MESSAGE_COLUMNS, type NewMessage, newMessageRows } from '#store/messages/message-row.ts'

const lock = statement(
  'lock-default-conversation',
  'select c.id from conversations as c where c.organization_id = $1 and c.agent_id = $2 and c.is_default for update',
)

/** Empties a thread that no run owns or waits for: all its messages but the system message, and its counters. */
const reset = statement(
  'reset-thread',
  `
with thread as (
  update conversations as c set message_count = 1, context_start_seq = 0, context_start_at = c.system_message_created_at,
    last_message_at = null, pending_approval_id = null, pending_approval_at = null, updated_at = now()
  where c.organization_id = $1 and c.agent_id = $2 and c.is_default and c.active_run_id is null and c.queued_run_count = 0
  returning c.id, c.system_message_id
), gone as (
  delete from messages as m using thread
  where m.organization_id = $1 and m.conversation_id = thread.id and m.id <> thread.system_message_id
)
select thread.id from thread`,
)

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
