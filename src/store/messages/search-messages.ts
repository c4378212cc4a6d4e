import { sql } from 'kysely'
import type { ContentPart } from '#llm/model.ts'
import { sqlBuilder, toStatement } from '#store/builder.ts'
import { type Queryable, statement } from '#store/db.ts'
import type { MessageRole, ToolReturn } from './message-row.ts'
import { inMessageScope, type MessageScope } from './message-scope.ts'
import { messageText } from './message-text.ts'
import { PLACED_MESSAGE_COLUMNS, type PlacedMessage, SEQ_OF_ALL } from './placed-message.ts'

const COLUMNS = 'm.id, m.role, m.content, m.tool_returns, m.created_at'

// the time tells the partition; a driver gives it in milliseconds, and the database has microseconds
const WANTED = `from unnest($2::text[], $3::timestamptz[]) with ordinality as w (id, at, place)
   join messages as m on m.organization_id = $1 and m.id = w.id
     and m.created_at >= w.at and m.created_at < w.at + interval '1 millisecond' order by w.place`
const READ = statement('read-messages', `select ${COLUMNS} ${WANTED}`)
const READ_PLACED = statement('read-placed-messages', `select ${PLACED_MESSAGE_COLUMNS} ${WANTED}`)

export interface FoundMessage {
  id: string
  role: MessageRole
  text: string
  created_at: Date
}

interface MessageTextRow {
  id: string
  role: MessageRole
  content: ContentPart[]
  tool_returns: ToolReturn[] | null
  created_at: Date
}

const seqIn = ({ agentId }: MessageScope) => (agentId === undefined ? SEQ_OF_ALL : sql`m.seq`)

/** The newest messages in scope that say something, in and out of context. */
export async function listNewestFound(db: Queryable, scope: MessageScope, limit: number): Promise<FoundMessage[]> {
  const query = sql`select ${sql.raw(COLUMNS)} from messages as m
    where ${inMessageScope(scope, 'm')} and m.search is not null order by ${seqIn(scope)} desc limit ${limit}`
  const rows = await db.query<MessageTextRow>(...toStatement('list-newest-texts', query.compile(sqlBuilder)))
  return rows.map(toFound)
}

/** The newest messages in scope, whole. */
export function listNewestPlaced(db: Queryable, scope: MessageScope, limit: number): Promise<PlacedMessage[]> {
  const query = sql`select ${sql.raw(PLACED_MESSAGE_COLUMNS)} from messages as m
    where ${inMessageScope(scope, 'm')} order by ${seqIn(scope)} desc limit ${limit}`
  return db.query<PlacedMessage>(...toStatement('list-newest-messages', query.compile(sqlBuilder)))
}

type Named = readonly { id: string; created_at: Date }[]
const paramsOf = (organizationId: string, wanted: Named) => [
  organizationId,
  wanted.map(({ id }) => id),
  wanted.map(({ created_at }) => created_at.toISOString()),
]

/** The texts of messages, in the order in which they are named. */
export async function readMessages(db: Queryable, organizationId: string, wanted: Named): Promise<FoundMessage[]> {
  return (await db.query<MessageTextRow>(READ, paramsOf(organizationId, wanted))).map(toFound)
}

/** The same, whole. */
export function readPlacedMessages(db: Queryable, organizationId: string, wanted: Named): Promise<PlacedMessage[]> {
  return db.query<PlacedMessage>(READ_PLACED, paramsOf(organizationId, wanted))
}

function toFound({ id, role, created_at, ...said }: MessageTextRow): FoundMessage {
  return { id, role, created_at, text: messageText(said) }
}
