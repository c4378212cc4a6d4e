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

/** Any of the terms and none of the excluded ones, best rank first. */
const byWords = statement(
  'search-messages',
  `
with wanted as (select ${anyOf('$7')} as query, ${anyOf('$8')} as excluded)
select ${COLUMNS} from messages as m cross join wanted
where ${FILTERS} and m.search @@ wanted.query and (wanted.excluded is null or not m.search @@ wanted.excluded)
order by ts_rank_cd(m.search, wanted.query, 1) desc, m.seq desc limit $6`,
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

/** Messages of an agent by words or by time, in and out of context. */
export async function findMessages(db: Queryable, search: MessageSearch): Promise<FoundMessage[]> {
  const params = [
    search.organizationId,
    search.agentId,
    search.roles,
    search.start ?? null,
    search.end ?? null,
    search.limit,
  ]
  const hasTerms = search.terms.length > 0
  const rows = await db.query<{
    id: string
    role: MessageRole
    content: ContentPart[]
    tool_returns: ToolReturn[] | null
    created_at: Date
  }>(hasTerms ? byWords : byDate, hasTerms ? [...params, search.terms, search.excluded] : params)
  return rows.map(({ id, role, content, tool_returns, created_at }) => ({
    id,
    role,
    created_at,
    text: [
      ...content.flatMap((part) => (part.type === 'text' ? [part.text] : [])),
      ...(tool_returns ?? []).map((result) => result.text),
    ].join('\n'),
  }))
}
