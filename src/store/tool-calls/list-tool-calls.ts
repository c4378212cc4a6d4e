import { type Queryable, statement } from '#store/db.ts'
import type { ToolReturn } from '#store/messages/message-row.ts'

const list = statement(
  'list-tool-calls-of-step',
  `
select t.id, t.step_id, t.position, t.tool_call_id, t.tool_name, t.arguments, t.state, t.result, t.created_at
from tool_calls as t
where t.organization_id = $1 and t.run_id = $2 and t.step_id = $3
order by t.position`,
)

export interface ToolCallRow {
  id: string
  step_id: string
  position: number
  tool_call_id: string
  tool_name: string
  arguments: string
  state: 'requested' | 'started' | 'finished'
  result: ToolReturn | null
  created_at: Date
}

/** The calls of one step with their results so far; what a take-over goes on from. */
export function listToolCalls(
  db: Queryable,
  organizationId: string,
  runId: string,
  stepId: string,
): Promise<ToolCallRow[]> {
  return db.query<ToolCallRow>(list, [organizationId, runId, stepId])
}
