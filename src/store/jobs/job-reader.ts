import { sql } from 'kysely'
import { invalidArgument } from '#platform/errors.ts'
import { allOf } from '#store/all-of.ts'
import { sqlBuilder, toStatement } from '#store/builder.ts'
import { type Queryable, statement } from '#store/db.ts'
import { keysetPage, type PageRequest } from '#store/page.ts'
import { type JobRow, jobColumns } from './job-row.ts'

const FIND_JOB = statement(
  'find-job',
  `select ${jobColumns('j')} from all_jobs as j where j.organization_id = $1 and j.id = $2`,
)

export async function findJob(db: Queryable, organizationId: string, jobId: string): Promise<JobRow | undefined> {
  const [row] = await db.query<JobRow>(FIND_JOB, [organizationId, jobId])
  return row
}

/** Every condition that is given must hold. */
export interface JobFilter {
  folderId?: string | undefined
  /** Only what has not ended. */
  isActive?: boolean | undefined
}

/** Uploads and batches. Throws invalid_argument for a cursor that is of no job, as V1 did. */
export async function listJobs(
  db: Queryable,
  organizationId: string,
  filter: JobFilter,
  page: PageRequest,
): Promise<JobRow[]> {
  const paging = keysetPage(page, { table: 'all_jobs', organizationId })
  const where = allOf(
    sql`all_jobs.organization_id = ${organizationId}`,
    filter.folderId !== undefined && sql`all_jobs.folder_id = ${filter.folderId}`,
    filter.isActive && sql`all_jobs.status = 'running'`,
    paging.where,
  )
  const query = sql`select ${sql.raw(jobColumns('all_jobs'))} from all_jobs where ${where}
    order by ${paging.orderBy} limit ${page.limit}`
  const rows = await db.query<JobRow>(...toStatement('list-jobs', query.compile(sqlBuilder)))
  if (rows.length === 0) await requireJob(db, organizationId, page)
  return paging.finish(rows)
}

async function requireJob(db: Queryable, organizationId: string, page: PageRequest): Promise<void> {
  for (const cursor of [page.after, page.before]) {
    if (cursor !== undefined && (await findJob(db, organizationId, cursor)) === undefined) {
      throw invalidArgument(`INVALID_ARGUMENT: The cursor ${cursor} is not a job of this list.`)
    }
  }
}
