import type { RunUsage } from '#store/runs/run-row.ts'
import type { UsageWire } from './run-schema.ts'

/** Token sums as the wire shows them; null where no provider told. */
export function presentUsage(usage: Partial<RunUsage>): UsageWire {
  const cached = usage.cached_input_tokens ?? null
  return {
    completion_tokens: usage.completion_tokens ?? 0,
    prompt_tokens: usage.prompt_tokens ?? 0,
    total_tokens: usage.total_tokens ?? 0,
    prompt_tokens_details: {
      cached_tokens: cached,
      cache_read_tokens: cached,
      cache_creation_tokens: usage.cache_write_tokens ?? null,
    },
    completion_tokens_details: { reasoning_tokens: usage.reasoning_tokens ?? null },
  }
}
