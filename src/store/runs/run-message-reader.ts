import { sql } from 'kysely'
import { allOf } from '#store/all-of.ts'
import { sqlBuilder, toStatement } from '#store/builder.ts'
import type { Queryable } from '#store/db.ts'
import { MESSAGE_COLUMNS, type MessageRow } from '#store/messages/message-row.ts'
import type { PageRequest } from '#store/page.ts'
import { requireCursor } from '#store/require-cursor.ts'

/**
 * The messages that a run read and wrote, or those of one of its steps, in the order they were said. The cursors of the page
 * are message ids and follow the order asked for.
 */
export async function listRunMessages(
  db: Queryable,
  organizationId: string,
  source: { runId: string; stepId?: string },
  page: PageRequest,
): Promise<MessageRow[]> {
  const isBackwards = page.before !== undefined && page.after === undefined
  const isAscending = (page.order === 'asc') !== isBackwards
  const later = sql.raw(page.order === 'asc' ? '>' : '<')
  const earlier = sql.raw(page.order === 'asc' ? '<' : '>')
  const seqOf = (messageId: string) =>
    sql`(select c.seq from messages as c where c.organization_id = ${organizationId} and c.id = ${messageId})`
  const where = allOf(
    sql`m.organization_id = ${organizationId}`,
    sql`m.run_id = ${source.runId}`,
    sql`m.role <> 'note'`,
    source.stepId !== undefined && sql`m.step_id = ${source.stepId}`,
    page.after !== undefined && sql`m.seq ${later} ${seqOf(page.after)}`,
    page.before !== undefined && sql`m.seq ${earlier} ${seqOf(page.before)}`,
  )
  const query = sql`select ${sql.raw(MESSAGE_COLUMNS)} from messages as m where ${where}
    order by m.seq ${sql.raw(isAscending ? 'asc' : 'desc')} limit ${page.limit}`
  const rows = await db.query<MessageRow>(...toStatement('list-run-messages', query.compile(sqlBuilder)))
  if (rows.length === 0) await requireCursor(db, organizationId, 'messages', page)
  return isBackwards ? rows.reverse() : rows
}
