import { type Queryable, statement } from '#store/db.ts'
import { MESSAGE_COLUMNS, type MessageRow } from './message-row.ts'

const list = statement(
  'list-messages-by-id',
  `select ${MESSAGE_COLUMNS} from messages as m where m.organization_id = $1 and m.id = any($2::text[])`,
)

/** The messages of these ids that there are, in no order. */
export function listMessagesById(db: Queryable, organizationId: string, ids: readonly string[]): Promise<MessageRow[]> {
  return db.query<MessageRow>(list, [organizationId, ids])
}
