import type { StepRow } from '#store/steps/step-row.ts'
import type { StepMetricsWire, StepWire } from './step-schema.ts'

/** A stored step as the wire shows it. */
export function presentStep(row: StepRow): StepWire {
  return {
    id: row.id,
    origin: null,
    provider_id: null,
    run_id: row.run_id,
    agent_id: row.agent_id,
    provider_name: row.provider_name,
    provider_category: row.provider_category,
    model: row.model,
    model_handle: row.model_handle,
    model_endpoint: row.model_endpoint,
    context_window_limit: row.context_window_limit,
    completion_tokens: row.completion_tokens,
    prompt_tokens: row.prompt_tokens,
    total_tokens: row.total_tokens,
    cached_input_tokens: row.cached_input_tokens,
    cache_write_tokens: row.cache_write_tokens,
    reasoning_tokens: row.reasoning_tokens,
    completion_tokens_details: row.reasoning_tokens === null ? null : { reasoning_tokens: row.reasoning_tokens },
    prompt_tokens_details: presentPromptTokens(row),
    stop_reason: row.stop_reason,
    tags: row.tags,
    tid: null,
    trace_id: row.trace_id,
    request_id: row.request_id,
    messages: [],
    feedback: row.feedback,
    project_id: row.project_id,
    error_type: row.error_type,
    error_data: row.error_data,
    status: row.status,
  }
}

function presentPromptTokens({ cached_input_tokens: cached, cache_write_tokens: written }: StepRow) {
  if (cached === null && written === null) return null
  return { cached_tokens: cached, cache_read_tokens: cached, cache_creation_tokens: written }
}

/** @param toolNs nanoseconds from the model's answer to the result of its last tool; null where there was none */
export function presentStepMetrics(row: StepRow, toolNs: number | null): StepMetricsWire {
  return {
    id: row.id,
    provider_id: null,
    run_id: row.run_id,
    agent_id: row.agent_id,
    step_start_ns: row.step_start_ns,
    llm_request_start_ns: row.llm_request_start_ns,
    llm_request_ns: row.llm_request_ns,
    tool_execution_ns: toolNs,
    step_ns: row.step_ns === null ? null : row.step_ns + (toolNs ?? 0),
    base_template_id: null,
    template_id: null,
    project_id: row.project_id,
  }
}
