import { type RawBuilder, sql } from 'kysely'

/** A page of the versions of a thing, by their numbers. */
export interface VersionPageRequest {
  /** 1 or more; the HTTP layer caps it. */
  limit: number
  order: 'asc' | 'desc'
  /** Versions that come after this one in the requested order. */
  after?: number | undefined
  /** Versions that come before it, the nearest ones; still given in the requested order. */
  before?: number | undefined
}

/** The pieces of a query of versions, as those of `keysetPage`. `column` is the number of the version. */
export function versionPage(page: VersionPageRequest, column: string) {
  const number = sql.ref(column)
  const isBackwards = page.before !== undefined && page.after === undefined
  const [later, earlier] = page.order === 'asc' ? [sql.raw('>'), sql.raw('<')] : [sql.raw('<'), sql.raw('>')]
  const conditions: RawBuilder<unknown>[] = [sql`true`]
  if (page.after !== undefined) conditions.push(sql`${number} ${later} ${page.after}`)
  if (page.before !== undefined) conditions.push(sql`${number} ${earlier} ${page.before}`)
  const isAscending = (page.order === 'asc') !== isBackwards
  return {
    where: sql<boolean>`${sql.join(conditions, sql` and `)}`,
    orderBy: sql`${number} ${sql.raw(isAscending ? 'asc' : 'desc')}`,
    finish: <Row>(rows: Row[]): Row[] => (isBackwards ? rows.reverse() : rows),
  }
}
