import { type Queryable, statement } from '#store/db.ts'
import type { NewMessage } from '#store/messages/message-row.ts'

// The sequence is drawn before anything is stored, so that the thread can say where its context begins.
const INSERT_HISTORY = statement(
  'insert-history',
  `with item as materialized (
    select given.position, given.value, nextval('message_seq') as seq
    from (select e.position, e.value from jsonb_array_elements($4::jsonb) with ordinality as e (value, position)
      order by e.position) as given
  ), said as materialized (
    select item.position, item.seq, n.* from item
    cross join lateral jsonb_to_record(item.value) as n (id text, role text, content jsonb, tool_calls jsonb,
      tool_returns jsonb, name text, model text, otid text, sender_id text, search_text text, created_at timestamptz)
  ), stored as (
    insert into messages (organization_id, id, seq, agent_id, conversation_id, role, content, tool_calls, tool_returns, name,
      model, otid, sender_id, search, created_at)
    select $1, said.id, said.seq, $2, $3, said.role, said.content, said.tool_calls, said.tool_returns, said.name, said.model,
      said.otid, said.sender_id, perdure_words(nullif(said.search_text, '')), said.created_at
    from said
  )
  update conversations as c set
    message_count = c.message_count + (select count(*) from said),
    last_message_at = (select max(said.created_at) from said),
    context_start_seq = coalesce((select min(said.seq) from said where said.position > $5::integer),
      (select max(said.seq) + 1 from said)),
    context_start_at = coalesce((select min(said.created_at) from said where said.position > $5::integer), c.context_start_at)
  where c.organization_id = $1 and c.id = $3`,
)

/**
 * Puts messages from elsewhere into a new thread, each with the time at which it was said, behind its system message.
 * @param recallCount the first so many are remembered and not in context
 */
export async function insertHistory(
  tx: Queryable,
  thread: { organizationId: string; agentId: string; conversationId: string },
  messages: readonly (NewMessage & { created_at: string })[],
  recallCount: number,
): Promise<void> {
  if (messages.length === 0) return
  const { organizationId, agentId, conversationId } = thread
  await tx.query(INSERT_HISTORY, [organizationId, agentId, conversationId, JSON.stringify(messages), recallCount])
}
