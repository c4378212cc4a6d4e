import { type Queryable, statement } from '#store/db.ts'
import { MESSAGE_COLUMNS, type MessageRow } from './message-row.ts'

/** More messages than any window holds; keeps a thread of tiny messages from filling the server's memory. */
const MAX_CONTEXT_MESSAGES = 4000

const context = statement(
  'list-context-messages',
  `
select * from (
  select ${MESSAGE_COLUMNS} from messages as m
  where m.organization_id = $1 and m.conversation_id = $2 and m.seq >= $3 and m.created_at >= $4 and m.id <> $5
  order by m.seq desc limit ${MAX_CONTEXT_MESSAGES}
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
  /** Messages with nothing but successful results of this tool are left out: clients are not shown them. */
  hiddenTool?: string | null
}

const MAX_SEQ = Number.MAX_SAFE_INTEGER

function listText(thread: string, order: 'asc' | 'desc'): string {
  return `
select ${MESSAGE_COLUMNS} from messages as m
where m.organization_id = $1 and ${thread} and m.seq > $3 and m.seq < $4 and m.role <> 'note'
  and ($6::text is null or m.role <> 'tool' or exists (select from jsonb_array_elements(m.tool_returns) as r
    where r ->> 'name' is distinct from $6 or r ->> 'status' is distinct from 'success'))
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
    filter.hiddenTool ?? null,
  ])
  return filter.order === 'desc' ? rows.reverse() : rows
}
