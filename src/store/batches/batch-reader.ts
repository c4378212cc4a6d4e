import { sql } from 'kysely'
import { allOf } from '#store/all-of.ts'
import { sqlBuilder, toStatement } from '#store/builder.ts'
import { type Queryable, statement } from '#store/db.ts'
import { MESSAGE_COLUMNS, type MessageRow } from '#store/messages/message-row.ts'
import { keysetPage, type PageRequest } from '#store/page.ts'
import { requireCursor } from '#store/require-cursor.ts'
import { BATCH_COLUMNS, type BatchRow } from './batch-row.ts'

const find = statement(
  'find-batch',
  `select ${BATCH_COLUMNS.map((name) => `b.${name}`).join(', ')} from batches as b where b.organization_id = $1 and b.id = $2`,
)

export async function findBatch(db: Queryable, organizationId: string, batchId: string): Promise<BatchRow | undefined> {
  const [row] = await db.query<BatchRow>(find, [organizationId, batchId])
  return row
}

export async function listBatches(db: Queryable, organizationId: string, page: PageRequest): Promise<BatchRow[]> {
  const paging = keysetPage(page, { table: 'batches', organizationId })
  const query = sql`select ${sql.raw(BATCH_COLUMNS.join(', '))} from batches
    where batches.organization_id = ${organizationId} and ${paging.where} order by ${paging.orderBy} limit ${page.limit}`
  const rows = await db.query<BatchRow>(...toStatement('list-batches', query.compile(sqlBuilder)))
  if (rows.length === 0) await requireCursor(db, organizationId, 'batches', page)
  return paging.finish(rows)
}

/** What the runs of a batch read and wrote, in the order in which it was said; the cursors of the page are message ids. */
export async function listBatchMessages(
  db: Queryable,
  organizationId: string,
  source: { batchId: string; agentId?: string | undefined },
  page: PageRequest,
): Promise<MessageRow[]> {
  const isBackwards = page.before !== undefined && page.after === undefined
  const isAscending = (page.order === 'asc') !== isBackwards
  const later = sql.raw(page.order === 'asc' ? '>' : '<')
  const earlier = sql.raw(page.order === 'asc' ? '<' : '>')
  const seqOf = (messageId: string) =>
    sql`(select c.seq from messages as c where c.organization_id = ${organizationId} and c.id = ${messageId})`
  const where = allOf(
    sql`i.organization_id = ${organizationId}`,
    sql`i.batch_id = ${source.batchId}`,
    source.agentId !== undefined && sql`i.agent_id = ${source.agentId}`,
    sql`m.organization_id = ${organizationId}`,
    sql`m.role <> 'note'`,
    page.after !== undefined && sql`m.seq ${later} ${seqOf(page.after)}`,
    page.before !== undefined && sql`m.seq ${earlier} ${seqOf(page.before)}`,
  )
  const query = sql`select ${sql.raw(MESSAGE_COLUMNS)} from batch_items as i
    join messages as m on m.organization_id = i.organization_id and m.run_id = i.run_id
    where ${where} order by m.seq ${sql.raw(isAscending ? 'asc' : 'desc')} limit ${page.limit}`
  const rows = await db.query<MessageRow>(...toStatement('list-batch-messages', query.compile(sqlBuilder)))
  if (rows.length === 0) await requireCursor(db, organizationId, 'messages', page)
  return isBackwards ? rows.reverse() : rows
}
