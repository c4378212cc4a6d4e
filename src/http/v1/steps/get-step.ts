import { notFound } from '#platform/errors.ts'
import type { Queryable } from '#store/db.ts'
import { findStep } from '#store/steps/step-reader.ts'
import type { StepRow } from '#store/steps/step-row.ts'

/** The step, or not_found thrown. */
export async function getStep(db: Queryable, organizationId: string, stepId: string): Promise<StepRow> {
  const row = await findStep(db, organizationId, stepId)
  if (row === undefined) throw notFound(`Step ${stepId} was not found.`)
  return row
}
