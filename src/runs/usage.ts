import type { Usage } from '#llm/model.ts'
import type { RunUsage } from '#store/runs/run-row.ts'

export const emptyUsage = (): RunUsage => ({
  prompt_tokens: 0,
  completion_tokens: 0,
  total_tokens: 0,
  cached_input_tokens: null,
  cache_write_tokens: null,
  reasoning_tokens: null,
  context_tokens: null,
})

/** Unknown plus unknown stays unknown. */
const add = (a: number | null, b: number | null): number | null =>
  a === null && b === null ? null : (a ?? 0) + (b ?? 0)

/** Sums of a run after one more call. */
export function addUsage(sum: RunUsage, call: Usage, contextTokens: number): RunUsage {
  return {
    prompt_tokens: sum.prompt_tokens + call.inputTokens,
    completion_tokens: sum.completion_tokens + call.outputTokens,
    total_tokens: sum.total_tokens + call.inputTokens + call.outputTokens,
    cached_input_tokens: add(sum.cached_input_tokens, call.cachedInputTokens),
    cache_write_tokens: add(sum.cache_write_tokens, call.cacheWriteTokens),
    reasoning_tokens: add(sum.reasoning_tokens, call.reasoningTokens),
    context_tokens: contextTokens,
  }
}
