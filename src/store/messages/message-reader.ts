import { sql } from 'kysely'
import { allOf } from '#store/all-of.ts'
import { sqlBuilder, toStatement } from '#store/builder.ts'
import type { ThreadRow } from '#store/conversations/load-thread.ts'
import { type Queryable, statement } from '#store/db.ts'
import { MESSAGE_COLUMNS, type MessageRow } from './message-row.ts'
import { typeCondition, withoutResultsOf } from './message-types.ts'
import { sharedMessages } from './shared-messages.ts'
import type { MessageRange } from './thread-message-reader.ts'

/** More messages than any window holds; keeps a thread of tiny messages from filling the server's memory. */
export const MAX_CONTEXT_MESSAGES = 4000

const IN_CONTEXT = "m.seq >= $3 and m.created_at >= $4 and m.role <> 'summary'"

/**
 * The summary first, wherever it was said (former ones are part of it; times are cut to milliseconds on their way here), then what the
 * thread said itself and what it shares with the one it was forked from.
 */
const context = statement(
  'list-context-messages',
  `
select * from (
  (select ${MESSAGE_COLUMNS} from messages as m
    where m.organization_id = $1 and m.conversation_id = $2 and ${IN_CONTEXT} and m.id <> $5
    order by m.seq desc limit ${MAX_CONTEXT_MESSAGES})
  union all
  ${sharedMessages({ organizationId: '$1', conversationId: '$2', where: IN_CONTEXT, order: 'desc', limit: `${MAX_CONTEXT_MESSAGES}` })}
  union all
  select ${MESSAGE_COLUMNS} from messages as m
  where m.organization_id = $1 and m.id = $6
    and m.created_at between $7::timestamptz - interval '1 millisecond' and $7::timestamptz + interval '1 millisecond'
  order by seq desc limit ${MAX_CONTEXT_MESSAGES}
) as newest
order by role <> 'summary', seq`,
)

const seqOf = statement(
  'find-message-seq',
  'select m.seq from messages as m where m.organization_id = $1 and m.id = $2 and m.agent_id = $3',
)

/** The summary of a thread, if it has one, then its messages from the start of the context on, without the system message. */
export function listContextMessages(
  db: Queryable,
  organizationId: string,
  thread: Pick<
    ThreadRow,
    | 'conversation_id'
    | 'context_start_seq'
    | 'context_start_at'
    | 'system_message_id'
    | 'summary_message_id'
    | 'summary_message_created_at'
  >,
): Promise<MessageRow[]> {
  return db.query<MessageRow>(context, [
    organizationId,
    thread.conversation_id,
    thread.context_start_seq,
    thread.context_start_at,
    thread.system_message_id,
    thread.summary_message_id,
    thread.summary_message_created_at,
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
    withoutResultsOf(filter.hiddenTool),
    filter.groupId !== undefined && sql`m.group_id = ${filter.groupId}`,
  )
  const query = sql`select ${sql.raw(MESSAGE_COLUMNS)} from messages as m where ${where}
    order by m.seq ${sql.raw(filter.order)} limit ${filter.limit}`
  const rows = await db.query<MessageRow>(...toStatement('list-agent-messages', query.compile(sqlBuilder)))
  return filter.order === 'desc' ? rows.reverse() : rows
}
