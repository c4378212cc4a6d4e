import { type Queryable, statement } from '#store/db.ts'
import { companionRunIdsColumn } from '#store/groups/companion-runs.ts'
import type { RunUsage, StopReason } from './run-row.ts'

const find = statement(
  'find-run-end',
  `
select r.stop_reason, r.usage, r.step_count, r.error, ${companionRunIdsColumn('r')} from runs as r
where r.organization_id = $1 and r.id = $2`,
)

export interface RunEnd {
  stop_reason: StopReason | null
  usage: Partial<RunUsage>
  step_count: number
  /** Runs of agents that work behind this one, started after it. */
  companion_run_ids: string[]
  error: {
    type: string
    message: string
    detail: string | null
    kind?: string
    retry_after_ms?: number
    error_detail?: unknown
    can_retry?: boolean
  } | null
}

/** How a run ended that has; undefined when there is no such run (any more). */
export async function findRunEnd(db: Queryable, organizationId: string, runId: string): Promise<RunEnd | undefined> {
  const [row] = await db.query<RunEnd>(find, [organizationId, runId])
  return row
}
