import { sql } from 'kysely'
import { allOf } from '#store/all-of.ts'
import { sqlBuilder, toStatement } from '#store/builder.ts'
import type { Queryable } from '#store/db.ts'
import type { MessageRole } from './message-row.ts'
import { inConversation, PLACED_MESSAGE_COLUMNS, type PlacedMessage } from './placed-message.ts'
import { anyOf } from './search-messages.ts'

/** Every condition that is given must hold. */
export interface AllMessageSearch {
  organizationId: string
  agentId?: string | undefined
  /** `default` means the default conversations. */
  conversationId?: string | undefined
  /** Of the agent. */
  projectId?: string | undefined
  /** Of the agent. */
  templateId?: string | undefined
  roles?: readonly MessageRole[] | undefined
  start?: Date | undefined
  end?: Date | undefined
  limit: number
  /** Words and phrases of which one must occur, and those that must not; the newest messages where none are given. */
  words?: { terms: readonly string[]; excluded: readonly string[] }
}

/** Messages of all agents, the best first, or the newest. */
export function findAllMessages(db: Queryable, search: AllMessageSearch): Promise<PlacedMessage[]> {
  const { words, limit } = search
  const columns = sql.raw(PLACED_MESSAGE_COLUMNS)
  if (words === undefined) {
    const query = sql`select ${columns} from messages as m where ${filters(search)} order by m.seq desc limit ${limit}`
    return db.query<PlacedMessage>(...toStatement('list-newest-messages', query.compile(sqlBuilder)))
  }
  const query = sql`
with given (terms, excluded) as (values (${words.terms}::text[], ${words.excluded}::text[])),
  wanted as (select ${sql.raw(anyOf('given.terms'))} as query, ${sql.raw(anyOf('given.excluded'))} as excluded from given)
select ${columns} from messages as m cross join wanted
where ${filters(search)} and m.search @@ wanted.query and (wanted.excluded is null or not m.search @@ wanted.excluded)
order by ts_rank_cd(m.search, wanted.query, 1) desc, m.seq desc limit ${limit}`
  return db.query<PlacedMessage>(...toStatement('search-all-messages', query.compile(sqlBuilder)))
}

function filters(search: AllMessageSearch) {
  const { organizationId } = search
  const ofAgents = (column: string, value: string) => sql`m.agent_id in (select a.id from agents as a
    where a.organization_id = ${organizationId} and ${sql.ref(`a.${column}`)} = ${value})`
  return allOf(
    sql`m.organization_id = ${organizationId}`,
    sql`m.role <> 'note'`,
    search.agentId !== undefined && sql`m.agent_id = ${search.agentId}`,
    search.conversationId !== undefined && inConversation(organizationId, search.conversationId),
    search.projectId !== undefined && ofAgents('project_id', search.projectId),
    search.templateId !== undefined && ofAgents('template_id', search.templateId),
    search.roles !== undefined && sql`m.role = any(${search.roles}::text[])`,
    search.start !== undefined && sql`m.created_at >= ${search.start}`,
    search.end !== undefined && sql`m.created_at <= ${search.end}`,
  )
}
