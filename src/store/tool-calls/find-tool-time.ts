import { type Queryable, statement } from '#store/db.ts'

// a tool that lives in this database is never found started: its time runs from the answer that called it
const FIND_TOOL_TIME = statement(
  'find-tool-time',
  `select (extract(epoch from max(t.finished_at) - min(t.created_at)) * 1000000000)::bigint as ns
   from tool_calls as t where t.organization_id = $1 and t.run_id = $2 and t.step_id = $3`,
)

/** Nanoseconds from the answer that called the tools of a step to the result of the last of them; null where it called none. */
export async function findToolTime(
  db: Queryable,
  organizationId: string,
  runId: string,
  stepId: string,
): Promise<number | null> {
  const [row] = await db.query<{ ns: number | null }>(FIND_TOOL_TIME, [organizationId, runId, stepId])
  return row?.ns ?? null
}
