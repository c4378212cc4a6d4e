import { notFound } from '#platform/errors.ts'
import type { Queryable } from '#store/db.ts'
import { saveStepFeedback } from '#store/steps/save-feedback.ts'
import type { StepRow } from '#store/steps/step-row.ts'

/** Notes what a person thought of a step; a null rating takes it back, undefined tags stay as they are. Throws not_found. */
export async function giveFeedback(
  db: Queryable,
  organizationId: string,
  stepId: string,
  feedback: { rating: 'positive' | 'negative' | null; tags: readonly string[] | undefined },
): Promise<StepRow> {
  const row = await saveStepFeedback(db, organizationId, stepId, feedback.rating, feedback.tags)
  if (row === undefined) throw notFound(`Step ${stepId} was not found.`)
  return row
}
