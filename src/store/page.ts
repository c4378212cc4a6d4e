import { type RawBuilder, sql } from 'kysely'

/** A page of a list ordered by one column, with the id as tie-break. */
export interface PageRequest {
  /** 1 or more; the HTTP layer caps it. */
  limit: number
  order: 'asc' | 'desc'
  /** Rows that come after the row of this id in the requested order. */
  after?: string | undefined
  /** Rows that come before it, the nearest ones; still given in the requested order. */
  before?: string | undefined
}

export interface PageSource {
  table: string
  /** Column that orders; rows where it is null come last in both directions. Default `created_at`. */
  orderBy?: string
  organizationId: string
}

/** True where the query must run backwards and its rows be turned around: `before` without `after`. */
const isBackwards = (page: PageRequest): boolean => page.before !== undefined && page.after === undefined

const EPOCH_END = sql.raw(`'infinity'::timestamptz`)

/**
 * The pieces of a keyset-paged query: `where` and `orderBy` go into the query, `finish` puts the rows in order.
 * The cursor is looked up inside the query, so that it costs one index probe and keeps the microseconds that a JavaScript
 * Date would lose. A cursor that does not exist gives no rows: callers that must answer 404 look it up first.
 */
export function keysetPage(page: PageRequest, source: PageSource) {
  const column = sql.ref(`${source.table}.${source.orderBy ?? 'created_at'}`)
  const id = sql.ref(`${source.table}.id`)
  // created_at is never null; other columns can be, and then sort behind everything else
  const canBeNull = source.orderBy !== undefined && source.orderBy !== 'created_at'
  const last = page.order === 'asc' ? EPOCH_END : sql.raw(`'-infinity'::timestamptz`)
  const key = canBeNull ? sql`coalesce(${column}, ${last})` : column
  const cursor = (
    cursorId: string,
  ) => sql`(select ${canBeNull ? sql`coalesce(c.${sql.ref(source.orderBy ?? '')}, ${last})` : sql`c.created_at`}, c.id
    from ${sql.table(source.table)} as c where c.organization_id = ${source.organizationId} and c.id = ${cursorId})`
  const conditions: RawBuilder<unknown>[] = []
  const later = page.order === 'asc' ? sql.raw('>') : sql.raw('<')
  const earlier = page.order === 'asc' ? sql.raw('<') : sql.raw('>')
  if (page.after !== undefined) conditions.push(sql`(${key}, ${id}) ${later} ${cursor(page.after)}`)
  if (page.before !== undefined) conditions.push(sql`(${key}, ${id}) ${earlier} ${cursor(page.before)}`)
  const isAscending = (page.order === 'asc') !== isBackwards(page)
  const direction = sql.raw(isAscending ? 'asc' : 'desc')
  return {
    where: conditions.length === 0 ? sql<boolean>`true` : sql<boolean>`${sql.join(conditions, sql` and `)}`,
    orderBy: sql`${key} ${direction}, ${id} ${direction}`,
    finish: <Row>(rows: Row[]): Row[] => (isBackwards(page) ? rows.reverse() : rows),
  }
}
