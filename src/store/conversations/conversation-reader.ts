import { sql } from 'kysely'
import { allOf } from '#store/all-of.ts'
import { sqlBuilder, toStatement } from '#store/builder.ts'
import { containsPattern } from '#store/contains-pattern.ts'
import { type Queryable, statement } from '#store/db.ts'
import { keysetPage, type PageRequest } from '#store/page.ts'
import { requireCursor } from '#store/require-cursor.ts'
import type { NewRun } from '#store/runs/start-run.ts'
import { type ConversationRow, conversationColumns } from './conversation-row.ts'

const find = statement(
  'find-conversation',
  `select ${conversationColumns('c')} from conversations as c
   where c.organization_id = $1 and c.id = $2 and not c.is_default and c.deleted_at is null`,
)

/** A conversation that clients know by an id, so no default one. */
export async function findConversation(
  db: Queryable,
  organizationId: string,
  id: string,
): Promise<ConversationRow | undefined> {
  const [row] = await db.query<ConversationRow>(find, [organizationId, id])
  return row
}

const idText = (threadFilter: string): string => `
select c.id, c.agent_id, c.is_default, c.system_message_id, c.system_message_created_at
from conversations as c where c.organization_id = $1 and ${threadFilter} and c.deleted_at is null`

const findIdOfDefault = statement('find-thread-id', idText('c.agent_id = $2 and c.is_default'))
const findIdOfConversation = statement('find-thread-id-of-conversation', idText('c.id = $2 and not c.is_default'))

export interface ThreadId {
  id: string
  agent_id: string
  is_default: boolean
  system_message_id: string
  system_message_created_at: Date
}

/** The thread that a path names; undefined where there is none. */
export async function findThreadId(
  db: Queryable,
  organizationId: string,
  thread: NewRun['thread'],
): Promise<ThreadId | undefined> {
  const [row] =
    'agentId' in thread
      ? await db.query<ThreadId>(findIdOfDefault, [organizationId, thread.agentId])
      : await db.query<ThreadId>(findIdOfConversation, [organizationId, thread.conversationId])
  return row
}

/** Every condition that is given must hold. */
export interface ConversationFilter {
  agentId?: string | undefined
  /** Substring of the summary, in this case. */
  summarySearch?: string | undefined
  archiveStatus: 'unarchived' | 'archived' | 'all'
}

export type ConversationOrder = 'created_at' | 'last_run_completion' | 'last_message_at'

/** Conversations that are not hidden; default ones, which have no id for clients, are never listed. */
export async function listConversations(
  db: Queryable,
  organizationId: string,
  filter: ConversationFilter,
  page: PageRequest & { orderBy: ConversationOrder },
): Promise<ConversationRow[]> {
  const paging = keysetPage(page, { table: 'conversations', orderBy: page.orderBy, organizationId })
  const where = allOf(
    sql`conversations.organization_id = ${organizationId}`,
    sql`not conversations.is_default`,
    sql`conversations.deleted_at is null`,
    sql`not conversations.hidden`,
    filter.agentId !== undefined && sql`conversations.agent_id = ${filter.agentId}`,
    filter.summarySearch !== undefined && sql`conversations.summary like ${containsPattern(filter.summarySearch)}`,
    filter.archiveStatus === 'archived' && sql`conversations.archived_at is not null`,
    filter.archiveStatus === 'unarchived' && sql`conversations.archived_at is null`,
    paging.where,
  )
  const query = sql`select ${sql.raw(conversationColumns('conversations'))} from conversations where ${where}
    order by ${paging.orderBy} limit ${page.limit}`
  const rows = await db.query<ConversationRow>(...toStatement('list-conversations', query.compile(sqlBuilder)))
  if (rows.length === 0) await requireCursor(db, organizationId, 'conversations', page)
  return paging.finish(rows)
}

const listActive = statement(
  'list-active-runs-of-thread',
  `
select r.id from runs as r
where r.organization_id = $1 and r.agent_id = $2 and r.conversation_id = $3 and r.status in ('created', 'running')
order by r.queue_seq limit 1000`,
)

/** Ids of the thread's runs that have not ended, in the order in which they run; at most 1 000. */
export async function listActiveRunsOfThread(
  db: Queryable,
  organizationId: string,
  thread: Pick<ThreadId, 'id' | 'agent_id'>,
): Promise<string[]> {
  return (await db.query<{ id: string }>(listActive, [organizationId, thread.agent_id, thread.id])).map((row) => row.id)
}
