import { type DomainError, notFound } from '#platform/errors.ts'
import type { Queryable } from '#store/db.ts'
import { findRun, type RunRow } from '#store/runs/run-reader.ts'

export const runNotFound = (runId: string): DomainError => notFound(`Run ${runId} was not found.`)

/** The run, or not_found thrown. */
export async function getRun(db: Queryable, organizationId: string, runId: string): Promise<RunRow> {
  const row = await findRun(db, organizationId, runId)
  if (row === undefined) throw runNotFound(runId)
  return row
}
