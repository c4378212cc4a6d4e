import { type Queryable, statement } from '#store/db.ts'
import { type StepRow, stepColumns } from './step-row.ts'

const SAVE_FEEDBACK = statement(
  'save-step-feedback',
  `update steps as s set feedback = $3, tags = coalesce($4::text[], s.tags)
  where s.organization_id = $1 and s.id = $2 returning ${stepColumns('s')}`,
)

/** Sets or clears (null) the feedback on a step, and its tags where they are given. Undefined when there is no such step. */
export async function saveStepFeedback(
  db: Queryable,
  organizationId: string,
  stepId: string,
  feedback: 'positive' | 'negative' | null,
  tags: readonly string[] | undefined,
): Promise<StepRow | undefined> {
  const [row] = await db.query<StepRow>(SAVE_FEEDBACK, [organizationId, stepId, feedback, tags ?? null])
  return row
}
