import type { ContentPart } from '#llm/model.ts'
import { type Queryable, statement } from '#store/db.ts'
import type { MessageRole, ToolReturn } from './message-row.ts'

const COLUMNS = 'm.id, m.role, m.content, m.tool_returns, m.created_at'
const FILTERS = `m.organization_id = $1 and m.agent_id = $2 and m.role = any($3::text[])
  and m.created_at >= coalesce($4::timestamptz, '-infinity') and m.created_at <= coalesce($5::timestamptz, 'infinity')`

/** Terms (an array parameter) as one query: any of them; null where none has a word that means something. */
export const anyOf = (terms: string) => `(
  select string_agg('(' || q.query::text || ')', ' | ')::tsquery
  from unnest(${terms}::text[]) as t (term) cross join lateral phraseto_tsquery('english', t.term) as q (query)
  where numnode(q.query) > 0)`

// the time tells the partition; a driver gives it in milliseconds, and the database has microseconds
const byId = statement(
  'read-messages',
  `select ${COLUMNS} from unnest($2::text[], $3::timestamptz[]) with ordinality as w (id, at, place)
   join messages as m on m.organization_id = $1 and m.id = w.id
     and m.created_at >= w.at and m.created_at < w.at + interval '1 millisecond' order by w.place`,
)

const byDate = statement(
  'list-messages-of-period',
  `select ${COLUMNS} from messages as m where ${FILTERS} and m.search is not null order by m.seq desc limit $6`,
)

export interface MessageSearch {
  organizationId: string
  agentId: string
  /** Words and phrases of which one must occur; none at all gives the newest messages of the period. */
  terms: readonly string[]
  /** Words and phrases that must not occur; only with terms. */
  excluded: readonly string[]
  roles: string[]
  /** 1 or more. */
  limit: number
  start: Date | undefined
  end: Date | undefined
}

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

/** The newest messages of an agent in a period, in and out of context. */
export async function findMessages(
  db: Queryable,
  search: Omit<MessageSearch, 'terms' | 'excluded'>,
): Promise<FoundMessage[]> {
  const { organizationId, agentId, roles, start, end, limit } = search
  const rows = await db.query<MessageTextRow>(byDate, [
    organizationId,
    agentId,
    roles,
    start ?? null,
    end ?? null,
    limit,
  ])
  return rows.map(toFound)
}

/** The texts of messages, in the order in which they are named. */
export async function readMessages(
  db: Queryable,
  organizationId: string,
  wanted: readonly { id: string; created_at: Date }[],
): Promise<FoundMessage[]> {
  const ids = wanted.map(({ id }) => id)
  const times = wanted.map(({ created_at }) => created_at.toISOString())
  const rows = await db.query<MessageTextRow>(byId, [organizationId, ids, times])
  return rows.map(toFound)
}

function toFound({ id, role, content, tool_returns, created_at }: MessageTextRow): FoundMessage {
  const texts = content.flatMap((part) => (part.type === 'text' ? [part.text] : []))
  const returned = (tool_returns ?? []).map((result) => result.text)
  return { id, role, created_at, text: [...texts, ...returned].join('\n') }
}
