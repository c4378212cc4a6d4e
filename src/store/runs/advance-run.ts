import { type Queryable, statement } from '#store/db.ts'
import { NEW_MESSAGE_COLUMNS, type NewMessage, newMessageRows } from '#store/messages/message-row.ts'
import { type EventBatch, loggedEvents } from '#store/run-events/event-batch.ts'
import { runDeliveryInsert } from '#store/webhooks/insert-delivery.ts'
import type { Lease, RunStatus, RunUsage, StopReason } from './run-row.ts'

/**
 * One step of a run, or its end, or both: everything that must agree in one statement, and nothing of it if the lease is
 * lost. `held` is the fence: all the rest hangs on it. `step_count` is part of it too, so that a statement that was
 * committed although its answer got lost cannot be applied a second time.
 */
const advance = statement(
  'advance-run',
  `
with held as (
  update runs as r set
    step_count = r.step_count + jsonb_array_length($8::jsonb),
    usage = $10::jsonb,
    ttft_ns = coalesce(r.ttft_ns, $11::bigint),
    status = coalesce($12, r.status), stop_reason = coalesce($13, r.stop_reason), error = coalesce($14::jsonb, r.error),
    completed_at = case when $12 is null then null else now() end,
    total_duration_ns = case when $12 is null then null
      else (extract(epoch from now() - r.created_at) * 1000000000)::bigint end
  where r.organization_id = $1 and r.id = $2 and r.lease_token = $3 and r.status = 'running' and r.step_count = $6
  returning r.id, r.created_at, r.completed_at, r.status, r.callback_url, r.metadata, r.error
), callback as (${runDeliveryInsert('held')}
), said as (
  insert into messages (${NEW_MESSAGE_COLUMNS})
  ${newMessageRows({ from: 'held', json: '$7::jsonb', organizationId: '$1', agentId: '$4', conversationId: '$5', runId: '$2' })}
), logged as (
  ${loggedEvents({ from: 'held', json: '$15::jsonb', organizationId: '$1', runId: '$2' })}
), step as (
  insert into steps (organization_id, id, run_id, agent_id, conversation_id, step_index, status, stop_reason, provider_name,
    provider_category, model, model_handle, model_endpoint, context_window_limit, prompt_tokens, completion_tokens, total_tokens,
    cached_input_tokens, cache_write_tokens, reasoning_tokens, error_type, error_data, request_id, step_start_ns,
    llm_request_start_ns, llm_request_ns, step_ns)
  select $1, n.id, $2, $4, $5, n.step_index, n.status, n.stop_reason, n.provider_name, 'base', n.model, n.model_handle,
    n.model_endpoint, n.context_window_limit, n.prompt_tokens, n.completion_tokens, n.prompt_tokens + n.completion_tokens,
    n.cached_input_tokens, n.cache_write_tokens, n.reasoning_tokens, n.error_type, n.error_data, n.request_id, n.step_start_ns,
    n.llm_request_start_ns, n.llm_request_ns, n.step_ns
  from held cross join jsonb_to_recordset($8::jsonb) as n (id text, step_index integer, status text, stop_reason text,
    provider_name text, model text, model_handle text, model_endpoint text, context_window_limit integer, prompt_tokens integer,
    completion_tokens integer, cached_input_tokens integer, cache_write_tokens integer, reasoning_tokens integer,
    error_type text, error_data jsonb, request_id text, step_start_ns bigint, llm_request_start_ns bigint, llm_request_ns bigint,
    step_ns bigint)
), ledger as (
  insert into provider_calls (organization_id, id, purpose, run_id, step_id, agent_id, conversation_id, provider_name,
    model_handle, status, error_type, attempts, input_tokens, cached_input_tokens, cache_write_tokens, output_tokens,
    reasoning_tokens, first_token_ms, total_ms)
  select $1, n.call_id, 'agent_step', $2, n.id, $4, $5, n.provider_name, n.model_handle, n.status, n.error_type, n.attempts,
    n.prompt_tokens, coalesce(n.cached_input_tokens, 0), coalesce(n.cache_write_tokens, 0), n.completion_tokens,
    coalesce(n.reasoning_tokens, 0), n.first_token_ms, n.total_ms
  from held cross join jsonb_to_recordset($8::jsonb) as n (call_id text, id text, provider_name text, model_handle text,
    status text, error_type text, attempts integer, prompt_tokens integer, cached_input_tokens integer, cache_write_tokens integer,
    completion_tokens integer, reasoning_tokens integer, first_token_ms integer, total_ms integer)
), calls as (
  insert into tool_calls (organization_id, id, run_id, step_id, agent_id, position, tool_call_id, tool_name, arguments, state, created_at)
  select $1, n.id, $2, n.step_id, $4, n.position, n.tool_call_id, n.tool_name, n.arguments, 'requested', n.created_at
  from held cross join jsonb_to_recordset($9::jsonb) as n (id text, step_id text, position integer, tool_call_id text,
    tool_name text, arguments text, created_at timestamptz)
), thread as (
  update conversations as c set
    message_count = c.message_count + jsonb_array_length($7::jsonb),
    active_run_id = case when $12 is null then c.active_run_id else null end,
    pending_approval_id = case when $12 is null or $17::boolean then c.pending_approval_id else $16::text end,
    pending_approval_at = case when $12 is null or $17 or c.pending_approval_id = $16 then c.pending_approval_at
      when $16 is null then null else now() end
  where c.organization_id = $1 and c.id = $5 and c.active_run_id = $2 and exists (select from held)
  returning c.queued_run_count
), agent as (
  update agents as a set last_run_completion = now(), last_stop_reason = $13,
    last_run_duration_ms = (extract(epoch from now() - held.created_at) * 1000)::integer
  from held where a.organization_id = $1 and a.id = $4 and $12 is not null and not $18::boolean
)
select thread.queued_run_count from held left join thread on true`,
)

/** One model call and what it gave. Times in nanoseconds since the epoch, or of duration; as the wire shows them. */
export interface NewStep {
  id: string
  /** Id of its row in the ledger. */
  call_id: string
  step_index: number
  status: 'success' | 'failed' | 'cancelled'
  stop_reason: StopReason | null
  provider_name: string
  model: string
  model_handle: string
  model_endpoint: string | null
  context_window_limit: number
  prompt_tokens: number
  completion_tokens: number
  cached_input_tokens: number | null
  cache_write_tokens: number | null
  reasoning_tokens: number | null
  error_type: string | null
  error_data: unknown
  request_id: string | null
  attempts: number
  first_token_ms: number | null
  total_ms: number
  step_start_ns: number
  llm_request_start_ns: number
  llm_request_ns: number
  step_ns: number
}

export interface NewToolCall {
  id: string
  step_id: string
  position: number
  tool_call_id: string
  tool_name: string
  arguments: string
  /** ISO 8601; part of the key of a partitioned table, so the writer chooses it. */
  created_at: string
}

export interface RunEnding {
  status: Extract<RunStatus, 'completed' | 'failed' | 'cancelled'>
  stopReason: StopReason
  error: { type: string; message: string; detail: string | null } | null
  /** The request that waits in the thread from now on, null where none does; undefined where nobody has looked. */
  pendingApprovalId?: string | null | undefined
  /** The run did nothing: it is not told of the agent. */
  isRefusal?: boolean
}

export interface Advance {
  agentId: string
  conversationId: string
  /** Steps committed before this statement. */
  stepCount: number
  messages: NewMessage[]
  steps: NewStep[]
  toolCalls: NewToolCall[]
  usage: RunUsage
  firstTokenNs: number | null
  ending: RunEnding | null
  /** What streams tell of it, and what they told before and is not stored yet. */
  events: EventBatch[]
}

/** How many runs wait behind this one; undefined where the lease is lost, and then nothing was written. */
export async function advanceRun(db: Queryable, lease: Lease, change: Advance): Promise<number | undefined> {
  const [row] = await db.query<{ queued_run_count: number | null }>(advance, [
    lease.organizationId,
    lease.runId,
    lease.token,
    change.agentId,
    change.conversationId,
    change.stepCount,
    JSON.stringify(change.messages),
    JSON.stringify(change.steps),
    JSON.stringify(change.toolCalls),
    JSON.stringify(change.usage),
    change.firstTokenNs,
    change.ending?.status ?? null,
    change.ending?.stopReason ?? null,
    change.ending?.error == null ? null : JSON.stringify(change.ending.error),
    JSON.stringify(change.events),
    change.ending?.pendingApprovalId ?? null,
    change.ending?.pendingApprovalId === undefined,
    change.ending?.isRefusal ?? false,
  ])
  return row === undefined ? undefined : (row.queued_run_count ?? 0)
}
