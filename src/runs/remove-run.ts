import { conflict, notFound } from '#platform/errors.ts'
import type { Queryable } from '#store/db.ts'
import { deleteRun } from '#store/runs/delete-run.ts'
import { findRun } from '#store/runs/run-reader.ts'

/** Deletes the record of a run that has ended. Throws not_found, and conflict while the run waits or works. */
export async function removeRun(db: Queryable, organizationId: string, runId: string): Promise<void> {
  if (await deleteRun(db, organizationId, runId)) return
  if ((await findRun(db, organizationId, runId)) === undefined) throw notFound(`Run ${runId} was not found.`)
  throw conflict(`CONFLICT: Run ${runId} has not ended. Cancel it first.`, { canRetry: false })
}
