import { notFound } from '#platform/errors.ts'
import { type Queryable, statement } from './db.ts'
import type { PageRequest } from './page.ts'

type PagedTable =
  | 'archives'
  | 'batches'
  | 'blocks'
  | 'conversations'
  | 'file_passages'
  | 'files'
  | 'folders'
  | 'groups'
  | 'identities'
  | 'messages'
  | 'passages'
  | 'providers'
  | 'runs'
  | 'sandbox_configs'
  | 'sandbox_variables'
  | 'schedules'
  | 'steps'
  | 'tools'
  | 'webhook_deliveries'

/**
 * Throws not_found when a cursor of the page is of no row. For pages that came out empty: a cursor that exists needs no
 * statement to prove it, as long as something comes after it.
 */
export async function requireCursor(
  db: Queryable,
  organizationId: string,
  table: PagedTable,
  page: PageRequest,
): Promise<void> {
  const cursors = [page.after, page.before].filter((cursor) => cursor !== undefined)
  if (cursors.length === 0) return
  const find = statement(
    `find-cursors-in-${table}`,
    `select c.id from ${table} as c where c.organization_id = $1 and c.id = any($2::text[])`,
  )
  const known = (await db.query<{ id: string }>(find, [organizationId, cursors])).map((row) => row.id)
  const unknown = cursors.find((cursor) => !known.includes(cursor))
  if (unknown !== undefined) throw notFound(`The cursor ${unknown} was not found: it is not an item of this list.`)
}
