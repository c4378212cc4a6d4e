import { notFound } from '#platform/errors.ts'
import type { RunEngine } from '#runs/run-engine.ts'
import type { Db } from '#store/db.ts'
import { cancelFile } from '#store/files/read-file-queue.ts'
import { deleteJob } from '#store/jobs/delete-job.ts'
import { findJob } from '#store/jobs/job-reader.ts'
import type { JobRow } from '#store/jobs/job-row.ts'
import { stopBatch } from './stop-batch.ts'

/** The job, or not_found thrown. */
export async function getJob(db: Db, organizationId: string, jobId: string): Promise<JobRow> {
  const job = await findJob(db, organizationId, jobId)
  if (job === undefined) throw notFound(`Job ${jobId} was not found.`)
  return job
}

/** Cancels what of a job has not ended, and gives the job as it is then; one that has ended stays as it is. Throws not_found. */
export async function stopJob(
  db: Db,
  runs: Pick<RunEngine, 'cancel'>,
  organizationId: string,
  jobId: string,
): Promise<JobRow> {
  const job = await getJob(db, organizationId, jobId)
  if (job.completed_at !== null) return job
  if (job.job_type === 'job') {
    await cancelFile(
      db,
      organizationId,
      String(job.metadata.file_id),
      'The upload was cancelled before the file was read.',
    )
    return getJob(db, organizationId, jobId)
  }
  await stopBatch(db, runs, { organization_id: organizationId, id: jobId })
  return getJob(db, organizationId, jobId)
}

/** Deletes the record of a job, stopped first where it has not ended; gives what it was. Throws not_found. */
export async function removeJob(
  db: Db,
  runs: Pick<RunEngine, 'cancel'>,
  organizationId: string,
  jobId: string,
): Promise<JobRow> {
  const job = await stopJob(db, runs, organizationId, jobId)
  await deleteJob(db, organizationId, jobId)
  return job
}
