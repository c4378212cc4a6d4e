import type { ThreadRow } from '#store/conversations/load-thread.ts'
import { type Queryable, statement } from '#store/db.ts'
import { MESSAGE_COLUMNS, type MessageRow } from './message-row.ts'

/** More messages than any window holds; keeps a thread of tiny messages from filling the server's memory. */
export const MAX_CONTEXT_MESSAGES = 4000

/** The summary comes first, wherever it was said; former ones are part of it. Times are cut to milliseconds on their way here. */
const context = statement(
  'list-context-messages',
  `
select * from (
  (select ${MESSAGE_COLUMNS} from messages as m
    where m.organization_id = $1 and m.conversation_id = $2 and m.seq >= $3 and m.created_at >= $4 and m.id <> $5
      and m.role <> 'summary'
    order by m.seq desc limit ${MAX_CONTEXT_MESSAGES})
  union all
  select ${MESSAGE_COLUMNS} from messages as m
  where m.organization_id = $1 and m.id = $6
    and m.created_at between $7::timestamptz - interval '1 millisecond' and $7::timestamptz + interval '1 millisecond'
) as context
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

export interface AgentMessageFilter {
  organizationId: string
  agentId: string
  /** undefined: every thread · null: the default one */
  conversationId: string | null | undefined
  /** Newer than this position. */
  afterSeq: number | undefined
  /** Older than this position. */
  beforeSeq: number | undefined
  limit: number
  /** Which end of the range is taken when it is longer than `limit`: desc = the newest. */
  order: 'asc' | 'desc'
}

const MAX_SEQ = Number.MAX_SAFE_INTEGER

function listText(thread: string, order: 'asc' | 'desc'): string {
  return `
select ${MESSAGE_COLUMNS} from messages as m
where m.organization_id = $1 and ${thread} and m.seq > $3 and m.seq < $4 and m.role <> 'note'
order by m.seq ${order} limit $5`
}
const IN_DEFAULT =
  'm.conversation_id = (select c.id from conversations as c where c.organization_id = $1 and c.agent_id = $2 and c.is_default)'
const lists = {
  agent: {
    asc: statement('list-agent-messages-asc', listText('m.agent_id = $2', 'asc')),
    desc: statement('list-agent-messages-desc', listText('m.agent_id = $2', 'desc')),
  },
  default: {
    asc: statement('list-default-messages-asc', listText(IN_DEFAULT, 'asc')),
    desc: statement('list-default-messages-desc', listText(IN_DEFAULT, 'desc')),
  },
  conversation: {
    asc: statement('list-conversation-messages-asc', listText('m.conversation_id = $2', 'asc')),
    desc: statement('list-conversation-messages-desc', listText('m.conversation_id = $2', 'desc')),
  },
}

/** Messages of an agent, always oldest first. */
export async function listAgentMessages(db: Queryable, filter: AgentMessageFilter): Promise<MessageRow[]> {
  const scope =
    filter.conversationId === undefined ? 'agent' : filter.conversationId === null ? 'default' : 'conversation'
  const rows = await db.query<MessageRow>(lists[scope][filter.order], [
    filter.organizationId,
    filter.conversationId ?? filter.agentId,
    filter.afterSeq ?? -1,
    filter.beforeSeq ?? MAX_SEQ,
    filter.limit,
  ])
  return filter.order === 'desc' ? rows.reverse() : rows
}
