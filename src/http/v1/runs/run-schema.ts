import Type, { type Static } from 'typebox'
import { IdSchema } from '#http/wire/ids.ts'
import { AnyObject, Nullable, StringEnum, Timestamp } from '#http/wire/nullable.ts'

export const RunId = Type.Object({ run_id: IdSchema('run') })

export const RUN_STATUSES = ['created', 'running', 'completed', 'failed', 'cancelled'] as const

/** Of runs that wait or work. */
export const ACTIVE_STATUSES = ['created', 'running'] as const

export const STOP_REASONS = [
  'end_turn',
  'error',
  'llm_api_error',
  'invalid_llm_response',
  'invalid_tool_call',
  'max_steps',
  'max_tokens_exceeded',
  'no_tool_call',
  'tool_rule',
  'cancelled',
  'insufficient_credits',
  'requires_approval',
  'context_window_overflow_in_system_prompt',
] as const

/** A run as sent. */
export const RunSchema = Type.Object({
  id: Type.String(),
  status: StringEnum(RUN_STATUSES),
  created_at: Timestamp,
  completed_at: Nullable(Timestamp),
  agent_id: Type.String(),
  conversation_id: Nullable(Type.String({ description: "Null for the agent's default conversation" })),
  base_template_id: Type.Null(),
  background: Nullable(Type.Boolean()),
  metadata: Nullable(AnyObject),
  request_config: Nullable(
    Type.Object({
      use_assistant_message: Type.Boolean(),
      assistant_message_tool_name: Type.String(),
      assistant_message_tool_kwarg: Type.String(),
      include_return_message_types: Nullable(Type.Array(Type.String())),
    }),
  ),
  stop_reason: Nullable(StringEnum(STOP_REASONS)),
  callback_url: Nullable(Type.String()),
  callback_sent_at: Nullable(Timestamp),
  callback_status_code: Nullable(Type.Integer()),
  callback_error: Nullable(Type.String()),
  ttft_ns: Nullable(Type.Integer({ description: 'Nanoseconds to the first token' })),
  total_duration_ns: Nullable(Type.Integer({ description: 'Nanoseconds from creation to end' })),
})
export type RunWire = Static<typeof RunSchema>

/** Token sums of a run, as sent. */
export const UsageSchema = Type.Object({
  completion_tokens: Type.Integer(),
  prompt_tokens: Type.Integer(),
  total_tokens: Type.Integer(),
  prompt_tokens_details: Nullable(
    Type.Object({
      cached_tokens: Nullable(Type.Integer()),
      cache_read_tokens: Nullable(Type.Integer()),
      cache_creation_tokens: Nullable(Type.Integer()),
    }),
  ),
  completion_tokens_details: Nullable(Type.Object({ reasoning_tokens: Nullable(Type.Integer()) })),
})
export type UsageWire = Static<typeof UsageSchema>
