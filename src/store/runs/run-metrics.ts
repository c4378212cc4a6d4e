import { type Queryable, statement } from '#store/db.ts'

export interface RunMetricsRow {
  id: string
  agent_id: string
  project_id: string | null
  created_at: Date
  total_duration_ns: number | null
  step_count: number
  /** Ids of the tools that were called and are there; of one that was deleted nothing is known any more. */
  tool_ids: string[]
}

const FIND_RUN_METRICS = statement(
  'find-run-metrics',
  `select r.id, r.agent_id, (select a.project_id from agents as a where a.organization_id = $1 and a.id = r.agent_id) as project_id,
    r.created_at, r.total_duration_ns, r.step_count,
    array(select distinct o.id from tool_calls as t join tools as o on o.organization_id = $1 and o.name = t.tool_name
      where t.organization_id = $1 and t.run_id = r.id order by o.id) as tool_ids
   from runs as r where r.organization_id = $1 and r.id = $2`,
)

export async function findRunMetrics(
  db: Queryable,
  organizationId: string,
  runId: string,
): Promise<RunMetricsRow | undefined> {
  const [row] = await db.query<RunMetricsRow>(FIND_RUN_METRICS, [organizationId, runId])
  return row
}
