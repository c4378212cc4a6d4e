import type { Queryable } from '#store/db.ts'
import { companionTurn } from '#store/groups/companion-runs.ts'
import { NEW_MESSAGE_COLUMNS, type NewMessage, newMessageRows } from '#store/messages/message-row.ts'
import { type EventBatch, loggedEvents } from '#store/run-events/event-batch.ts'
import { statementVariants } from '#store/statement-variants.ts'
import { runDeliveryInsert } from '#store/webhooks/insert-delivery.ts'
import type { Lease, RunStatus, RunUsage, StopReason } from './run-row.ts'

type Part = 'messages' | 'events' | 'steps' | 'calls' | 'ending' | 'pending'

const CALLED_BACK = `, callback as (${runDeliveryInsert('held', ':organization')}
), agent as (
  update agents as a set last_run_completion = now(), last_stop_reason = :stopReason,
    last_run_duration_ms = (extract(epoch from now() - held.created_at) * 1000)::integer
  from held where a.organization_id = :organization and a.id = :agent and not :isRefusal::boolean
), ${companionTurn('held', { organizationId: ':organization', runId: ':run', agentId: ':agent', status: ':status' })}`

const SAID = `, said as (
  insert into messages (${NEW_MESSAGE_COLUMNS})
  ${newMessageRows({ from: 'held', json: ':messages::jsonb', organizationId: ':organization', agentId: ':agent', conversationId: ':conversation', runId: ':run' })}
)`

const LOGGED = `, logged as (
  ${loggedEvents({ from: 'held', json: ':events::jsonb', organizationId: ':organization', runId: ':run' })}
)`

const STEPPED = `, step as (
  insert into steps (organization_id, id, run_id, agent_id, conversation_id, step_index, status, stop_reason, provider_name,
    provider_category, model, model_handle, model_endpoint, context_window_limit, prompt_tokens, completion_tokens, total_tokens,
    cached_input_tokens, cache_write_tokens, reasoning_tokens, error_type, error_data, request_id, step_start_ns,
    llm_request_start_ns, llm_request_ns, step_ns)
  select :organization, n.id, :run, :agent, :conversation, n.step_index, n.status, n.stop_reason, n.provider_name,
    coalesce(n.provider_category, 'base'), n.model,
    n.model_handle, n.model_endpoint, n.context_window_limit, n.prompt_tokens, n.completion_tokens,
    n.prompt_tokens + n.completion_tokens, n.cached_input_tokens, n.cache_write_tokens, n.reasoning_tokens, n.error_type,
    n.error_data, n.request_id, n.step_start_ns, n.llm_request_start_ns, n.llm_request_ns, n.step_ns
  from held cross join jsonb_to_recordset(:steps::jsonb) as n (id text, step_index integer, status text, stop_reason text,
    provider_name text, provider_category text, model text, model_handle text, model_endpoint text, context_window_limit integer, prompt_tokens integer,
    completion_tokens integer, cached_input_tokens integer, cache_write_tokens integer, reasoning_tokens integer,
    error_type text, error_data jsonb, request_id text, step_start_ns bigint, llm_request_start_ns bigint, llm_request_ns bigint,
    step_ns bigint)
), ledger as (
  insert into provider_calls (organization_id, id, purpose, run_id, step_id, agent_id, conversation_id, provider_name,
    model_handle, status, error_type, attempts, input_tokens, cached_input_tokens, cache_write_tokens, output_tokens,
    reasoning_tokens, first_token_ms, total_ms)
  select :organization, n.call_id, 'agent_step', :run, n.id, :agent, :conversation, n.provider_name, n.model_handle, n.status,
    n.error_type, n.attempts, n.prompt_tokens, coalesce(n.cached_input_tokens, 0), coalesce(n.cache_write_tokens, 0),
    n.completion_tokens, coalesce(n.reasoning_tokens, 0), n.first_token_ms, n.total_ms
  from held cross join jsonb_to_recordset(:steps::jsonb) as n (call_id text, id text, provider_name text, model_handle text,
    status text, error_type text, attempts integer, prompt_tokens integer, cached_input_tokens integer, cache_write_tokens integer,
    completion_tokens integer, reasoning_tokens integer, first_token_ms integer, total_ms integer)
)`

/** The request that waits from now on; the one that waits already has waited since then. */
const PENDING = `,
    pending_approval_id = :pendingApproval::text, pending_approval_at = case when c.pending_approval_id = :pendingApproval then c.pending_approval_at
      when :pendingApproval::text is null then null else now() end`

const CALLED = `, calls as (
  insert into tool_calls (organization_id, id, run_id, step_id, agent_id, position, tool_call_id, tool_name, arguments, state, created_at)
  select :organization, n.id, :run, n.step_id, :agent, n.position, n.tool_call_id, n.tool_name, n.arguments, 'requested', n.created_at
  from held cross join jsonb_to_recordset(:calls::jsonb) as n (id text, step_id text, position integer, tool_call_id text,
    tool_name text, arguments text, created_at timestamptz)
)`

/**
 * One step of a run, or its end, or both: everything that must agree in one statement, and nothing of it if the lease is
 * lost. `held` is the fence: all the rest hangs on it. `step_count` is part of it too, so that a statement that was
 * committed although its answer got lost cannot be applied a second time.
 */
const advance = statementVariants<Part>('advance-run', (has) => {
  const when = (part: Part, text: string): string => (has(part) ? text : '')
  return `
with held as (
  update runs as r set
    step_count = r.step_count + :stepsDone::integer,
    usage = :usage::jsonb,
    ttft_ns = coalesce(r.ttft_ns, :firstTokenNs::bigint)${when(
      'ending',
      `,
    status = :status, stop_reason = coalesce(:stopReason, r.stop_reason), error = coalesce(:error::jsonb, r.error),
    completed_at = now(), total_duration_ns = (extract(epoch from now() - r.created_at) * 1000000000)::bigint`,
    )}
  where r.organization_id = :organization and r.id = :run and r.lease_token = :token and r.status = 'running'
    and r.step_count = :stepCount
  returning r.id, r.created_at, r.completed_at, r.status, r.callback_url, r.metadata, r.error
)${when('messages', SAID)}${when('events', LOGGED)}${when('steps', STEPPED)}${when('calls', CALLED)}${when('ending', CALLED_BACK)}, thread as (
  update conversations as c set message_count = c.message_count + :messagesAdded::integer${when('ending', ', active_run_id = null, last_run_completion = now()')}${when('pending', PENDING)}
  where c.organization_id = :organization and c.id = :conversation and c.active_run_id = :run and exists (select from held)
  returning c.queued_run_count
)
select thread.queued_run_count,
  ${has('ending') ? 'array(select due.id from due)' : "'{}'::text[]"} as companion_run_ids
from held left join thread on true`
})

/** One model call and what it gave. Times in nanoseconds since the epoch, or of duration; as the wire shows them. */
export interface NewStep {
  id: string
  /** Id of its row in the ledger. */
  call_id: string
  step_index: number
  status: 'success' | 'failed' | 'cancelled'
  stop_reason: StopReason | null
  provider_name: string
  /** `base` unless told. */
  provider_category?: 'base' | 'byok'
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

export interface Advanced {
  /** How many runs wait behind this one. */
  waiting: number
  /** Runs of agents that work behind this one, and are due now that it has ended. */
  companionRunIds: string[]
}

/** Undefined where the lease is lost, and then nothing was written. */
export async function advanceRun(db: Queryable, lease: Lease, change: Advance): Promise<Advanced | undefined> {
  const { ending } = change
  const parts = (Object.keys(PART_OF) as Part[]).filter((part) => PART_OF[part](change))
  const [row] = await db.query<{ queued_run_count: number | null; companion_run_ids: string[] }>(
    ...advance(parts, {
      organization: lease.organizationId,
      run: lease.runId,
      token: lease.token,
      agent: change.agentId,
      conversation: change.conversationId,
      stepCount: change.stepCount,
      stepsDone: change.steps.length,
      messagesAdded: change.messages.length,
      messages: JSON.stringify(change.messages),
      steps: JSON.stringify(change.steps),
      calls: JSON.stringify(change.toolCalls),
      usage: JSON.stringify(change.usage),
      firstTokenNs: change.firstTokenNs,
      status: ending?.status ?? null,
      stopReason: ending?.stopReason ?? null,
      error: ending?.error == null ? null : JSON.stringify(ending.error),
      events: JSON.stringify(change.events),
      pendingApproval: ending?.pendingApprovalId ?? null,
      isRefusal: ending?.isRefusal ?? false,
    }),
  )
  if (row === undefined) return undefined
  return { waiting: row.queued_run_count ?? 0, companionRunIds: row.companion_run_ids }
}

/** Whether there is anything to do for a part. */
const PART_OF: Record<Part, (change: Advance) => boolean> = {
  messages: ({ messages }) => messages.length > 0,
  events: ({ events }) => events.length > 0,
  steps: ({ steps }) => steps.length > 0,
  calls: ({ toolCalls }) => toolCalls.length > 0,
  ending: ({ ending }) => ending !== null,
  pending: ({ ending }) => ending?.pendingApprovalId !== undefined,
}
