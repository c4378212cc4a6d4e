import { type Queryable, statement } from '#store/db.ts'

const FIND_THREAD_TO_EXPORT = statement(
  'find-thread-to-export',
  `select c.id as conversation_id, c.system_message_id, c.system_message_created_at, c.system_prompt, c.context_start_seq,
     c.context_start_at, c.summary_message_id, c.summary_message_created_at
   from conversations as c
   where c.organization_id = $1 and c.agent_id = $2 and c.deleted_at is null
     and case when $3::text is null then c.is_default else c.id = $3 end`,
)

/** A thread as far as a copy of its context needs it. */
export interface ThreadToExport {
  conversation_id: string
  system_message_id: string
  system_message_created_at: Date
  system_prompt: string
  context_start_seq: number
  context_start_at: Date
  summary_message_id: string | null
  summary_message_created_at: Date | null
}

/** The agent's thread of this id, the default one for null; undefined where the agent has no such thread. */
export async function findThreadToExport(
  db: Queryable,
  organizationId: string,
  agentId: string,
  conversationId: string | null,
): Promise<ThreadToExport | undefined> {
  const [row] = await db.query<ThreadToExport>(FIND_THREAD_TO_EXPORT, [organizationId, agentId, conversationId])
  return row
}
