import { type Queryable, statement } from '#store/db.ts'
import type { StopReason } from './run-row.ts'

export interface TracedRun {
  id: string
  agent_id: string
  conversation_id: string
  status: string
  stop_reason: StopReason | null
  metadata: Record<string, unknown> | null
  ttft_ns: number | null
  created_at: Date
  completed_at: Date | null
  request_id: string | null
}

export interface TracedStep {
  id: string
  step_index: number
  status: string
  stop_reason: string | null
  model_handle: string | null
  provider_name: string | null
  prompt_tokens: number
  completion_tokens: number
  error_type: string | null
  step_start_ns: number | null
  step_ns: number | null
  created_at: Date
}

export interface TracedTool {
  id: string
  step_id: string
  tool_call_id: string
  tool_name: string
  state: string
  status: string | null
  created_at: Date
  started_at: Date | null
  finished_at: Date | null
}

const FIND_RUN = statement(
  'find-traced-run',
  `select r.id, r.agent_id, r.conversation_id, r.status, r.stop_reason, r.metadata, r.ttft_ns, r.created_at, r.completed_at,
    r.request ->> 'requestId' as request_id
   from runs as r where r.organization_id = $1 and r.id = $2`,
)
const LIST_STEPS = statement(
  'list-traced-steps',
  `select s.id, s.step_index, s.status, s.stop_reason, s.model_handle, s.provider_name, s.prompt_tokens, s.completion_tokens,
    s.error_type, s.step_start_ns, s.step_ns, s.created_at
   from steps as s where s.organization_id = $1 and s.run_id = $2 order by s.created_at, s.id limit $3`,
)
const LIST_TOOLS = statement(
  'list-traced-tools',
  `select t.id, t.step_id, t.tool_call_id, t.tool_name, t.state, t.result ->> 'status' as status, t.created_at, t.started_at,
    t.finished_at
   from tool_calls as t where t.organization_id = $1 and t.run_id = $2 order by t.created_at, t.position limit $3`,
)

/** What is known of the course of a run, `limit` steps and calls of tools at most; undefined where there is no such run. */
export async function findRunTrace(
  db: Queryable,
  organizationId: string,
  runId: string,
  limit: number,
): Promise<{ run: TracedRun; steps: TracedStep[]; tools: TracedTool[] } | undefined> {
  const [run] = await db.query<TracedRun>(FIND_RUN, [organizationId, runId])
  if (run === undefined) return undefined
  const steps = await db.query<TracedStep>(LIST_STEPS, [organizationId, runId, limit])
  const tools = await db.query<TracedTool>(LIST_TOOLS, [organizationId, runId, limit])
  return { run, steps, tools }
}
