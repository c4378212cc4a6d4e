import { notFound } from '#platform/errors.ts'
import type { Queryable } from '#store/db.ts'
import { findRun, type RunRow } from '#store/runs/run-reader.ts'

/** The run, or not_found thrown. */
export async function getRun(db: Queryable, organizationId: string, runId: string): Promise<RunRow> {
  const row = await findRun(db, organizationId, runId)
  if (row === undefined) throw notFound(`Run ${runId} was not found.`)
  return row
}
