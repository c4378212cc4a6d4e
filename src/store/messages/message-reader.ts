import { sql } from 'kysely'
import { allOf } from '#store/all-of.ts'
import { sqlBuilder, toStatement } from '#store/builder.ts'
import { type Queryable, statement } from '#store/db.ts'
import { MESSAGE_COLUMNS, type MessageRow } from './message-row.ts'
import { typeCondition } from './message-types.ts'
import { sharedMessages } from './shared-messages.ts'
import type { MessageRange } from './thread-message-reader.ts'

/** More messages than any window holds; keeps a thread of tiny messages from filling the server's memory. */
const MAX_CONTEXT_MESSAGES = 4000

const IN_CONTEXT = 'm.seq >= $3 and m.created_at >= $4'

/** What the thread said itself, and what it shares with the one it was forked from. */
const context = statement(
  'list-context-messages',
  `
select * from (
  (select ${MESSAGE_COLUMNS} from messages as m
    where m.organization_id = $1 and m.conversation_id = $2 and ${IN_CONTEXT} and m.id <> $5
    order by m.seq desc limit ${MAX_CONTEXT_MESSAGES})
  union all
  ${sharedMessages({ organizationId: '$1', conversationId: '$2', where: IN_CONTEXT, order: 'desc', limit: `${MAX_CONTEXT_MESSAGES}` })}
  order by seq desc limit ${MAX_CONTEXT_MESSAGES}
) as newest
order by seq`,
)

const seqOf = statement(
  'find-message-seq',
  'select m.seq from messages as m where m.organization_id = $1 and m.id = $2 and m.agent_id = $3',
)

/** The messages of a thread from the start of its context on, oldest first, without the system message. */
export function listContextMessages(
  db: Queryable,
  organizationId: string,
  thread: { conversation_id: string; context_start_seq: number; context_start_at: Date; system_message_id: string },
): Promise<MessageRow[]> {
  return db.query<MessageRow>(context, [
    organizationId,
    thread.conversation_id,
    thread.context_start_seq,
    thread.context_start_at,
    thread.system_message_id,
  ])
}

/** Position of a message of this agent; undefined where there is none. */
export async function findMessageSeq(
  db: Queryable,
  organizationId: string,
  agentId: string,
  id: string,
): Promise<number | undefined> {
  const [row] = await db.query<{ seq: number }>(seqOf, [organizationId, id, agentId])
  return row?.seq
}

export interface AgentMessageFilter extends MessageRange {
  organizationId: string
  agentId: string
}

/** Messages of an agent in all its threads, always oldest first; `order` says which end is taken. */
export async function listAgentMessages(db: Queryable, filter: AgentMessageFilter): Promise<MessageRow[]> {
  const where = allOf(
    sql`m.organization_id = ${filter.organizationId}`,
    sql`m.agent_id = ${filter.agentId}`,
    sql`m.role <> 'note'`,
    filter.afterSeq !== undefined && sql`m.seq > ${filter.afterSeq}`,
    filter.beforeSeq !== undefined && sql`m.seq < ${filter.beforeSeq}`,
    typeCondition(filter.types),
    filter.groupId !== undefined && sql`m.group_id = ${filter.groupId}`,
  )
  const query = sql`select ${sql.raw(MESSAGE_COLUMNS)} from messages as m where ${where}
    order by m.seq ${sql.raw(filter.order)} limit ${filter.limit}`
  const rows = await db.query<MessageRow>(...toStatement('list-agent-messages', query.compile(sqlBuilder)))
  return filter.order === 'desc' ? rows.reverse() : rows
}
