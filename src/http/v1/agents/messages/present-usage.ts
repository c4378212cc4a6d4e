import type { RunUsage } from '#store/runs/run-row.ts'

/** Token sums of a run as the wire has them, and the runs that sleeptime agents do after it. */
export function presentUsage(usage: RunUsage, stepCount: number, companionRunIds: readonly string[] = []) {
  return {
    message_type: 'usage_statistics' as const,
    completion_tokens: usage.completion_tokens,
    prompt_tokens: usage.prompt_tokens,
    total_tokens: usage.total_tokens,
    step_count: stepCount,
    run_ids: companionRunIds.length > 0 ? [...companionRunIds] : null,
    cached_input_tokens: usage.cached_input_tokens,
    cache_write_tokens: usage.cache_write_tokens,
    reasoning_tokens: usage.reasoning_tokens,
    context_tokens: usage.context_tokens,
  }
}
