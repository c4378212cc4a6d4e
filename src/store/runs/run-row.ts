import type { ToolDefinition } from '#llm/model.ts'
import type { Approval, NewMessage } from '#store/messages/message-row.ts'

export type RunStatus = 'created' | 'running' | 'completed' | 'failed' | 'cancelled'

export type StopReason =
  | 'end_turn'
  | 'error'
  | 'llm_api_error'
  | 'invalid_llm_response'
  | 'invalid_tool_call'
  | 'max_steps'
  | 'max_tokens_exceeded'
  | 'no_tool_call'
  | 'tool_rule'
  | 'cancelled'
  | 'insufficient_credits'
  | 'requires_approval'
  | 'context_window_overflow_in_system_prompt'

/**
 * An answer to a request that waits. It becomes a message together with the first result that it brings, when it is found to
 * fit the request.
 */
export interface RunAnswer {
  /** Of the message that it becomes. */
  messageId: string
  otid: string | null
  /** What is said of each call; null where `blanket` says it of all. */
  approvals: Approval[] | null
  blanket?: { requestId: string | null; approve: boolean; reason: string | null }
  /** Denies everything, and ends the turn. */
  isCancel?: boolean
  /** What the client says after it. */
  messages: NewMessage[]
}

/** What the client asked for, stored with the run: all that a take-over needs to go on as if nothing had happened. */
export interface RunRequest {
  /** Id of the HTTP request that started it; null where none did. */
  requestId: string | null
  maxSteps: number
  overrideModel: string | null
  overrideSystem: string | null
  /** How the client wants to read the answer; the wire's `request_config`. */
  view: {
    use_assistant_message: boolean
    assistant_message_tool_name: string
    assistant_message_tool_kwarg: string
    include_return_message_types: string[] | null
    /** False unless told. */
    include_compaction_messages?: boolean
  }
  /** Tools that the client executes. */
  clientTools?: ToolDefinition[]
  answer?: RunAnswer
  /** Agents that have sent it, one through the other; the last one may wait for its end. */
  callers?: string[]
  /** True where its streams are told piece by piece, not message by message; false unless told. */
  hasTokens?: boolean
}

/** Token sums of a run, as stored in `runs.usage`. */
export interface RunUsage {
  prompt_tokens: number
  completion_tokens: number
  total_tokens: number
  cached_input_tokens: number | null
  cache_write_tokens: number | null
  reasoning_tokens: number | null
  /** Estimated size of the context of the last step. */
  context_tokens: number | null
}

/** A run that this process holds the lease of. */
export interface ClaimedRun {
  organization_id: string
  id: string
  agent_id: string
  conversation_id: string
  /** Nobody waits for its answer on a connection. */
  background: boolean
  request: RunRequest
  step_count: number
  usage: Partial<RunUsage>
  lease_token: number
  created_at: Date
  cancel_requested_at: Date | null
}

export const CLAIMED_RUN_COLUMNS =
  'r.organization_id, r.id, r.agent_id, r.conversation_id, r.background, r.request, r.step_count, r.usage, r.lease_token, r.created_at, r.cancel_requested_at'

/** Proof of the right to write for a run; a write with a token that is not the newest changes nothing. */
export interface Lease {
  organizationId: string
  runId: string
  token: number
}
