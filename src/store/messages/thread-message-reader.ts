import { sql } from 'kysely'
import { allOf } from '#store/all-of.ts'
import { sqlBuilder, toStatement } from '#store/builder.ts'
import type { ThreadId } from '#store/conversations/conversation-reader.ts'
import type { Queryable } from '#store/db.ts'
import { typeCondition, withoutResultsOf } from './message-types.ts'
import { PLACED_MESSAGE_COLUMNS, type PlacedMessage } from './placed-message.ts'

/** A part of a list of messages. Positions are those of `seq`. */
export interface MessageRange {
  /** Newer than this position. */
  afterSeq?: number | undefined
  /** Older than this position. */
  beforeSeq?: number | undefined
  limit: number
  /** Which end of the range comes first, and is taken when it is longer than `limit`: desc = the newest. */
  order: 'asc' | 'desc'
  /** Types of the wire of which a message must show one; all unless told. */
  types?: readonly string[] | null | undefined
  groupId?: string | undefined
  /** Messages with nothing but successful results of this tool are left out. */
  hiddenTool?: string | null | undefined
}

/** The system message comes first in its thread, although that of a fork is newer than what the fork shares. */
export const SYSTEM_MESSAGE_SEQ = 0

/** The messages of a thread in the order asked for: its system message, what it shares with its source, and what was said in it. */
export async function listThreadMessages(
  db: Queryable,
  organizationId: string,
  thread: ThreadId,
  range: MessageRange,
): Promise<PlacedMessage[]> {
  const { afterSeq, beforeSeq, limit } = range
  const order = sql.raw(range.order)
  const columns = sql.raw(PLACED_MESSAGE_COLUMNS)
  const within = (position: ReturnType<typeof sql>) =>
    allOf(
      sql`m.organization_id = ${organizationId}`,
      afterSeq !== undefined && sql`${position} > ${afterSeq}`,
      beforeSeq !== undefined && sql`${position} < ${beforeSeq}`,
      typeCondition(range.types),
      withoutResultsOf(range.hiddenTool),
      range.groupId !== undefined && sql`m.group_id = ${range.groupId}`,
    )
  const bySeq = sql`${within(sql.raw('m.seq'))} and m.role <> 'note' and m.id <> ${thread.system_message_id}`
  const query = sql`
select said.* from (
  (select ${columns}, ${SYSTEM_MESSAGE_SEQ}::bigint as position from messages as m
    where ${within(sql`${SYSTEM_MESSAGE_SEQ}::bigint`)} and m.id = ${thread.system_message_id}
      and m.created_at >= ${thread.system_message_created_at}::timestamptz - interval '1 second')
  union all
  (select ${columns}, m.seq as position from messages as m where ${bySeq} and m.conversation_id = ${thread.id}
    order by m.seq ${order} limit ${limit})
  union all
  (select shared.* from conversation_shares as s
    cross join lateral (select ${columns}, m.seq as position from messages as m
      where ${bySeq} and m.conversation_id = s.source_id and m.seq between s.from_seq and s.to_seq
      order by m.seq ${order} limit ${limit}) as shared
    where s.organization_id = ${organizationId} and s.conversation_id = ${thread.id})
) as said
order by said.position ${order} limit ${limit}`
  return db.query<PlacedMessage>(...toStatement('list-thread-messages', query.compile(sqlBuilder)))
}
