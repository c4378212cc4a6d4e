import type { StepsTable } from '#store/tables.ts'

/** A step as read. */
export type StepRow = Omit<StepsTable, 'organization_id'>

const COLUMN_NAMES = [
  'id',
  'project_id',
  'run_id',
  'agent_id',
  'conversation_id',
  'step_index',
  'status',
  'stop_reason',
  'provider_name',
  'provider_category',
  'model',
  'model_handle',
  'model_endpoint',
  'context_window_limit',
  'prompt_tokens',
  'completion_tokens',
  'total_tokens',
  'cached_input_tokens',
  'cache_write_tokens',
  'reasoning_tokens',
  'error_type',
  'error_data',
  'feedback',
  'tags',
  'trace_id',
  'request_id',
  'step_start_ns',
  'llm_request_start_ns',
  'llm_request_ns',
  'tool_execution_ns',
  'step_ns',
  'created_at',
]

export const stepColumns = (alias: string): string => COLUMN_NAMES.map((name) => `${alias}.${name}`).join(', ')
