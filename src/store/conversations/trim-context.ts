import { type Queryable, statement } from '#store/db.ts'

const trim = statement(
  'trim-context',
  `
update conversations as c set context_start_seq = $3, context_start_at = $4, summary_message_id = null,
  summary_message_created_at = null
where c.organization_id = $1 and c.id = $2 and c.context_start_seq < $3`,
)

/** Lets the context of a thread begin at a later message, without a summary. What is before stays in recall memory. */
export async function trimContext(
  db: Queryable,
  thread: { organizationId: string; conversationId: string },
  start: { seq: number; at: Date },
): Promise<void> {
  await db.query(trim, [thread.organizationId, thread.conversationId, start.seq, start.at])
}
