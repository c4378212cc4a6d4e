import { type Queryable, statement } from '#store/db.ts'

/** What was said to a provider and back; JSON as text, as it is stored. */
export interface NewProviderTrace {
  organizationId: string
  id: string
  stepId: string
  runId: string
  agentId: string
  callType: 'agent_step' | 'summarization'
  request: string
  response: string
  llmConfig: string
}

export interface ProviderTraceRow {
  id: string
  step_id: string
  run_id: string | null
  agent_id: string | null
  call_type: string
  request: Record<string, unknown>
  response: Record<string, unknown>
  llm_config: Record<string, unknown> | null
  agent_tags: string[]
  created_by_id: string | null
  created_at: Date
}

const INSERT_PROVIDER_TRACE = statement(
  'insert-provider-trace',
  `insert into provider_traces (organization_id, id, step_id, run_id, agent_id, call_type, request, response, llm_config, agent_tags,
    created_by_id)
   select $1, $2, $3, $4, $5, $6, $7::json, $8::json, $9::json,
    array(select t.tag from agent_tags as t where t.organization_id = $1 and t.agent_id = $5 order by t.tag),
    (select r.created_by_id from runs as r where r.organization_id = $1 and r.id = $4)`,
)

export async function insertProviderTrace(db: Queryable, trace: NewProviderTrace): Promise<void> {
  await db.query(INSERT_PROVIDER_TRACE, [
    trace.organizationId,
    trace.id,
    trace.stepId,
    trace.runId,
    trace.agentId,
    trace.callType,
    trace.request,
    trace.response,
    trace.llmConfig,
  ])
}

const FIND_PROVIDER_TRACE = statement(
  'find-provider-trace',
  `select p.id, p.step_id, p.run_id, p.agent_id, p.call_type, p.request, p.response, p.llm_config, p.agent_tags, p.created_by_id,
    p.created_at
   from provider_traces as p where p.organization_id = $1 and p.step_id = $2 order by p.created_at desc limit 1`,
)

/** The trace of a step; undefined where none was kept. */
export async function findProviderTrace(
  db: Queryable,
  organizationId: string,
  stepId: string,
): Promise<ProviderTraceRow | undefined> {
  const [row] = await db.query<ProviderTraceRow>(FIND_PROVIDER_TRACE, [organizationId, stepId])
  return row
}
