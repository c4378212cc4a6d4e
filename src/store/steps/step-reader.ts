import { type RawBuilder, sql } from 'kysely'
import { allOf } from '#store/all-of.ts'
import { sqlBuilder, toStatement } from '#store/builder.ts'
import { type Queryable, statement } from '#store/db.ts'
import { keysetPage, type PageRequest } from '#store/page.ts'
import { requireCursor } from '#store/require-cursor.ts'
import { type StepRow, stepColumns } from './step-row.ts'

const FIND_STEP = statement(
  'find-step',
  `select ${stepColumns('s')} from steps as s where s.organization_id = $1 and s.id = $2`,
)

export async function findStep(db: Queryable, organizationId: string, stepId: string): Promise<StepRow | undefined> {
  const [row] = await db.query<StepRow>(FIND_STEP, [organizationId, stepId])
  return row
}

/** Every condition that is given must hold. */
export interface StepFilter {
  runId?: string | undefined
  agentId?: string | undefined
  projectId?: string | undefined
  /** The provider's name of the model, or its handle. */
  model?: string | undefined
  traceIds?: readonly string[] | undefined
  feedback?: 'positive' | 'negative' | undefined
  hasFeedback?: boolean | undefined
  /** At least one of these. */
  tags?: readonly string[] | undefined
  /** Both inclusive. */
  start?: Date | undefined
  end?: Date | undefined
}

export async function listSteps(
  db: Queryable,
  organizationId: string,
  filter: StepFilter,
  page: PageRequest,
): Promise<StepRow[]> {
  const paging = keysetPage(page, { table: 'steps', organizationId })
  const query = sql`select ${sql.raw(stepColumns('steps'))} from steps
    where ${stepConditions(organizationId, filter)} and ${paging.where}
    order by ${paging.orderBy} limit ${page.limit}`
  const rows = await db.query<StepRow>(...toStatement('list-steps', query.compile(sqlBuilder)))
  if (rows.length === 0) await requireCursor(db, organizationId, 'steps', page)
  return paging.finish(rows)
}

function stepConditions(organizationId: string, filter: StepFilter): RawBuilder<unknown> {
  return allOf(
    sql`steps.organization_id = ${organizationId}`,
    filter.runId !== undefined && sql`steps.run_id = ${filter.runId}`,
    filter.agentId !== undefined && sql`steps.agent_id = ${filter.agentId}`,
    filter.projectId !== undefined && sql`steps.project_id = ${filter.projectId}`,
    filter.model !== undefined && sql`${filter.model} in (steps.model, steps.model_handle)`,
    filter.traceIds !== undefined && sql`steps.trace_id = any(${filter.traceIds}::text[])`,
    filter.feedback !== undefined && sql`steps.feedback = ${filter.feedback}`,
    filter.hasFeedback !== undefined && sql`(steps.feedback is not null) = ${filter.hasFeedback}`,
    filter.tags !== undefined && filter.tags.length > 0 && sql`steps.tags && ${filter.tags}::text[]`,
    filter.start !== undefined && sql`steps.created_at >= ${filter.start.toISOString()}::timestamptz`,
    filter.end !== undefined && sql`steps.created_at <= ${filter.end.toISOString()}::timestamptz`,
  )
}
