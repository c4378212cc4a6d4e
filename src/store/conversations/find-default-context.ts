import { type Queryable, statement } from '#store/db.ts'

const find = statement(
  'find-default-context',
  `
select c.id as conversation_id,
  (select count(*) from messages as m
    where m.organization_id = $1 and m.conversation_id = c.id and m.seq >= c.context_start_seq
      and m.created_at >= c.context_start_at and m.id <> c.system_message_id
      and m.role not in ('note', 'summary'))
    + (c.summary_message_id is not null)::integer as message_count
from conversations as c where c.organization_id = $1 and c.agent_id = $2 and c.is_default`,
)

/** An agent's default thread, and how many messages it has in context, the system message left out. */
export async function findDefaultContext(
  db: Queryable,
  organizationId: string,
  agentId: string,
): Promise<{ conversation_id: string; message_count: number } | undefined> {
  const [row] = await db.query<{ conversation_id: string; message_count: number }>(find, [organizationId, agentId])
  return row
}
