import { type Queryable, statement } from '#store/db.ts'
import type { RunUsage, StopReason } from './run-row.ts'

const find = statement(
  'find-run-end',
  `
select r.stop_reason, r.usage, r.step_count, r.error from runs as r
where r.organization_id = $1 and r.id = $2`,
)

const listEnded = statement(
  'list-ended-runs',
  `
select w.organization_id as "organizationId", w.id as "runId"
from unnest($1::text[], $2::text[]) as w (organization_id, id)
left join runs as r on r.organization_id = w.organization_id and r.id = w.id
where r.id is null or r.completed_at is not null`,
)

export interface RunEnd {
  stop_reason: StopReason | null
  usage: Partial<RunUsage>
  step_count: number
  error: { type: string; message: string; detail: string | null } | null
}

/** How a run ended that has; undefined when there is no such run (any more). */
export async function findRunEnd(db: Queryable, organizationId: string, runId: string): Promise<RunEnd | undefined> {
  const [row] = await db.query<RunEnd>(find, [organizationId, runId])
  return row
}

/** Those of the runs that have ended, or are not there any more. */
export function listEndedRuns(
  db: Queryable,
  runs: readonly { organizationId: string; runId: string }[],
): Promise<{ organizationId: string; runId: string }[]> {
  return db.query(listEnded, [runs.map((run) => run.organizationId), runs.map((run) => run.runId)])
}
