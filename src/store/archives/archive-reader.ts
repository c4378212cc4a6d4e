import { sql } from 'kysely'
import { notFound } from '#platform/errors.ts'
import { allOf } from '#store/all-of.ts'
import { sqlBuilder, toStatement } from '#store/builder.ts'
import { type Queryable, statement } from '#store/db.ts'
import { keysetPage, type PageRequest } from '#store/page.ts'
import { requireCursor } from '#store/require-cursor.ts'
import { type ArchiveRow, archiveColumns } from './archive-row.ts'

const FIND_ARCHIVE = statement(
  'find-archive',
  `select ${archiveColumns('a')} from archives as a where a.organization_id = $1 and a.id = $2`,
)

/** The archive, or not_found thrown. */
export async function getArchive(db: Queryable, organizationId: string, archiveId: string): Promise<ArchiveRow> {
  const [row] = await db.query<ArchiveRow>(FIND_ARCHIVE, [organizationId, archiveId])
  if (row === undefined) throw archiveNotFound(archiveId)
  return row
}

export const archiveNotFound = (archiveId: string) => notFound(`Archive ${archiveId} was not found.`)

/** Every condition that is given must hold. */
export interface ArchiveFilter {
  name?: string | undefined
  /** Only the archive of this agent. */
  agentId?: string | undefined
}

export async function listArchives(
  db: Queryable,
  organizationId: string,
  filter: ArchiveFilter,
  page: PageRequest,
): Promise<ArchiveRow[]> {
  const paging = keysetPage(page, { table: 'archives', organizationId })
  const where = allOf(
    sql`archives.organization_id = ${organizationId}`,
    filter.name !== undefined && sql`archives.name = ${filter.name}`,
    filter.agentId !== undefined &&
      sql`archives.id in (select aa.archive_id from agent_archives as aa
        where aa.organization_id = ${organizationId} and aa.agent_id = ${filter.agentId})`,
    paging.where,
  )
  const query = sql`select ${sql.raw(archiveColumns('archives'))} from archives where ${where}
    order by ${paging.orderBy} limit ${page.limit}`
  const rows = await db.query<ArchiveRow>(...toStatement('list-archives', query.compile(sqlBuilder)))
  if (rows.length === 0) await requireCursor(db, organizationId, 'archives', page)
  return paging.finish(rows)
}
