import Type, { type Static } from 'typebox'
import { STOP_REASONS } from '#http/v1/runs/run-schema.ts'
import { IdSchema } from '#http/wire/ids.ts'
import { AnyObject, Nullable, StringEnum } from '#http/wire/nullable.ts'

export const StepId = Type.Object({ step_id: IdSchema('step') })

const NullableString = Nullable(Type.String())
const NullableInteger = Nullable(Type.Integer())

/** A step as sent. */
export const StepSchema = Type.Object({
  id: Type.String(),
  origin: Type.Null(),
  provider_id: Type.Null(),
  run_id: NullableString,
  agent_id: NullableString,
  provider_name: NullableString,
  provider_category: NullableString,
  model: NullableString,
  model_handle: NullableString,
  model_endpoint: NullableString,
  context_window_limit: NullableInteger,
  completion_tokens: NullableInteger,
  prompt_tokens: NullableInteger,
  total_tokens: NullableInteger,
  cached_input_tokens: NullableInteger,
  cache_write_tokens: NullableInteger,
  reasoning_tokens: NullableInteger,
  completion_tokens_details: Nullable(AnyObject),
  prompt_tokens_details: Nullable(AnyObject),
  stop_reason: Nullable(StringEnum(STOP_REASONS)),
  tags: Type.Array(Type.String()),
  tid: Type.Null(),
  trace_id: NullableString,
  request_id: NullableString,
  messages: Type.Array(AnyObject, { deprecated: true, description: 'Always empty; ask for the messages of the step' }),
  feedback: Nullable(StringEnum(['positive', 'negative'])),
  project_id: NullableString,
  error_type: NullableString,
  error_data: Nullable(AnyObject),
  status: StringEnum(['pending', 'success', 'failed', 'cancelled']),
})
export type StepWire = Static<typeof StepSchema>

/** Times of a step, in nanoseconds; those that end in `start_ns` since 1970. */
export const StepMetricsSchema = Type.Object({
  id: Type.String(),
  provider_id: Type.Null(),
  run_id: NullableString,
  agent_id: NullableString,
  step_start_ns: NullableInteger,
  llm_request_start_ns: NullableInteger,
  llm_request_ns: NullableInteger,
  tool_execution_ns: NullableInteger,
  step_ns: NullableInteger,
  base_template_id: Type.Null(),
  template_id: Type.Null(),
  project_id: NullableString,
})
export type StepMetricsWire = Static<typeof StepMetricsSchema>
