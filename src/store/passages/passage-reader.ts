import { sql } from 'kysely'
import { allOf } from '#store/all-of.ts'
import { sqlBuilder, toStatement } from '#store/builder.ts'
import { containsPattern } from '#store/contains-pattern.ts'
import { type Queryable, statement } from '#store/db.ts'
import { keysetPage, type PageRequest } from '#store/page.ts'
import { requireCursor } from '#store/require-cursor.ts'
import { type PassageRow, passageColumns } from './passage-row.ts'

const FIND_PASSAGE = statement(
  'find-passage',
  `select ${passageColumns('p')} from passages as p where p.organization_id = $1 and p.id = $2`,
)

export async function findPassage(
  db: Queryable,
  organizationId: string,
  passageId: string,
): Promise<PassageRow | undefined> {
  const [row] = await db.query<PassageRow>(FIND_PASSAGE, [organizationId, passageId])
  return row
}

/** The passages of an archive in the order of time; `contains` is a substring in any case. */
export async function listPassages(
  db: Queryable,
  organizationId: string,
  filter: { archiveId: string; contains?: string | undefined },
  page: PageRequest,
): Promise<PassageRow[]> {
  const paging = keysetPage(page, { table: 'passages', organizationId })
  const where = allOf(
    sql`passages.organization_id = ${organizationId}`,
    sql`passages.archive_id = ${filter.archiveId}`,
    filter.contains !== undefined && sql`passages.text ilike ${containsPattern(filter.contains)}`,
    paging.where,
  )
  const query = sql`select ${sql.raw(passageColumns('passages'))} from passages where ${where}
    order by ${paging.orderBy} limit ${page.limit}`
  const rows = await db.query<PassageRow>(...toStatement('list-passages', query.compile(sqlBuilder)))
  if (rows.length === 0) await requireCursor(db, organizationId, 'passages', page)
  return paging.finish(rows)
}
