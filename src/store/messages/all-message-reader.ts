import { sql } from 'kysely'
import { allOf } from '#store/all-of.ts'
import { sqlBuilder, toStatement } from '#store/builder.ts'
import { type Queryable, statement } from '#store/db.ts'
import { MESSAGE_COLUMNS, type MessageRow } from './message-row.ts'
import { typeCondition } from './message-types.ts'
import { inConversation, PLACED_MESSAGE_COLUMNS, type PlacedMessage, SEQ_OF_ALL } from './placed-message.ts'
import type { MessageRange } from './thread-message-reader.ts'

/** The messages of all agents, or those of default conversations only; oldest first, and `order` says which end is taken. */
export async function listAllMessages(
  db: Queryable,
  organizationId: string,
  inDefaultOnly: boolean,
  range: MessageRange,
): Promise<PlacedMessage[]> {
  const where = allOf(
    sql`m.organization_id = ${organizationId}`,
    sql`m.role <> 'note'`,
    range.afterSeq !== undefined && sql`${SEQ_OF_ALL} > ${range.afterSeq}`,
    range.beforeSeq !== undefined && sql`${SEQ_OF_ALL} < ${range.beforeSeq}`,
    inDefaultOnly && inConversation(organizationId, 'default'),
    typeCondition(range.types),
  )
  const query = sql`select ${sql.raw(PLACED_MESSAGE_COLUMNS)} from messages as m where ${where}
    order by ${SEQ_OF_ALL} ${sql.raw(range.order)} limit ${range.limit}`
  const rows = await db.query<PlacedMessage>(...toStatement('list-all-messages', query.compile(sqlBuilder)))
  return range.order === 'desc' ? rows.reverse() : rows
}

const find = statement(
  'find-message',
  `select ${MESSAGE_COLUMNS} from messages as m where m.organization_id = $1 and m.id = $2 and m.role <> 'note'`,
)

export async function findMessage(db: Queryable, organizationId: string, id: string): Promise<MessageRow | undefined> {
  const [row] = await db.query<MessageRow>(find, [organizationId, id])
  return row
}
