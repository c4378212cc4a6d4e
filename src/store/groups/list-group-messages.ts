import { type Queryable, statement } from '#store/db.ts'
import { MESSAGE_COLUMNS, type MessageRow } from '#store/messages/message-row.ts'

// the newest (or oldest) of each agent by its index, and of those the newest: never the whole history
const text = (order: 'asc' | 'desc') => `
select m.* from unnest($2::text[]) as member (id)
cross join lateral (
  select ${MESSAGE_COLUMNS} from messages as m
  where m.organization_id = $1 and m.agent_id = member.id and m.seq > $3 and m.seq < $4 and m.role <> 'note'
  order by m.seq ${order} limit $5
) as m
order by m.seq ${order} limit $5`

const LISTS = {
  asc: statement('list-group-messages-asc', text('asc')),
  desc: statement('list-group-messages-desc', text('desc')),
}

const FIND_SEQ = statement(
  'find-group-message-seq',
  'select m.seq from messages as m where m.organization_id = $1 and m.id = $2 and m.agent_id = any($3::text[])',
)

/** Position of a message of one of the agents; undefined where there is none. */
export async function findGroupMessageSeq(
  db: Queryable,
  organizationId: string,
  agentIds: readonly string[],
  id: string,
): Promise<number | undefined> {
  const [row] = await db.query<{ seq: number }>(FIND_SEQ, [organizationId, id, agentIds])
  return row?.seq
}

export interface GroupMessageFilter {
  organizationId: string
  agentIds: readonly string[]
  afterSeq: number | undefined
  beforeSeq: number | undefined
  limit: number
  /** Which end of the range is taken when it is longer than `limit`: desc = the newest. */
  order: 'asc' | 'desc'
}

/** Messages of several agents, always oldest first. */
export async function listGroupMessages(db: Queryable, filter: GroupMessageFilter): Promise<MessageRow[]> {
  const rows = await db.query<MessageRow>(LISTS[filter.order], [
    filter.organizationId,
    filter.agentIds,
    filter.afterSeq ?? -1,
    filter.beforeSeq ?? Number.MAX_SAFE_INTEGER,
    filter.limit,
  ])
  return filter.order === 'desc' ? rows.reverse() : rows
}
