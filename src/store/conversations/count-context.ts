import { type Queryable, statement } from '#store/db.ts'

const IN_CONTEXT = `m.seq >= c.context_start_seq and m.created_at >= c.context_start_at and m.role not in ('note', 'summary')`

const count = statement(
  'count-context-messages',
  `
select c.id, (select count(*) from messages as m where m.organization_id = $1 and m.conversation_id = c.id
      and m.id <> c.system_message_id and ${IN_CONTEXT})
  + (select count(*) from conversation_shares as s
      join messages as m on m.organization_id = $1 and m.conversation_id = s.source_id and m.seq between s.from_seq and s.to_seq
      where s.organization_id = $1 and s.conversation_id = c.id and ${IN_CONTEXT})
  + (c.summary_message_id is not null)::integer as message_count
from conversations as c where c.organization_id = $1 and c.id = $2`,
)

/** How many messages a thread has in context, the system message left out. */
export async function countContextMessages(
  db: Queryable,
  organizationId: string,
  conversationId: string,
): Promise<number> {
  const [row] = await db.query<{ message_count: number }>(count, [organizationId, conversationId])
  return row?.message_count ?? 0
}
