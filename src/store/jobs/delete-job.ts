import { type Queryable, statement } from '#store/db.ts'

const DELETE_JOB = statement(
  'delete-job',
  `with upload as (
    delete from jobs as j where j.organization_id = $1 and j.id = $2
  )
  delete from batches as b where b.organization_id = $1 and b.id = $2`,
)

/** Deletes the record of an upload or a batch; what they made stays. */
export async function deleteJob(db: Queryable, organizationId: string, jobId: string): Promise<void> {
  await db.query(DELETE_JOB, [organizationId, jobId])
}
