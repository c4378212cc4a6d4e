import type { ModelSettings } from '#llm/model.ts'

/** Nested objects as the wire has them; what a provider does not know is left to the llm layer to drop. */
interface WireSettings {
  temperature?: number | null
  max_output_tokens?: number | null
  parallel_tool_calls?: boolean | null
  reasoning?: { reasoning_effort?: string | null } | null
  thinking?: { type?: string | null; budget_tokens?: number | null } | null
  thinking_config?: { include_thoughts?: boolean | null; thinking_budget?: number | null } | null
  effort?: string | null
  verbosity?: string | null
  strict?: boolean | null
  response_format?: Record<string, unknown> | null
  /** Google's name of it. */
  response_schema?: Record<string, unknown> | null
}

/** Tokens for thinking: 0 switches it off, undefined leaves it to the provider. */
function reasoningBudget(wire: WireSettings): number | undefined {
  if (wire.thinking?.type === 'disabled') return 0
  if (wire.thinking?.type === 'enabled') return wire.thinking.budget_tokens ?? 1024
  return wire.thinking_config?.thinking_budget ?? undefined
}

const withoutUndefined = <Value extends object>(value: { [Key in keyof Value]: Value[Key] | undefined }): Value =>
  Object.fromEntries(Object.entries(value).filter(([, entry]) => entry !== undefined)) as Value

/**
 * `model_settings` of agent and conversation, the latter winning, as settings of a request. Only what was set is passed on:
 * a default of ours would override a better one of the provider's.
 */
export function resolveModelSettings(
  agent: Record<string, unknown>,
  conversation: Record<string, unknown> | null,
  responseFormat: Record<string, unknown> | null,
): ModelSettings {
  const wire = { ...agent, ...conversation } as WireSettings
  return withoutUndefined<ModelSettings>({
    temperature: wire.temperature ?? undefined,
    max_output_tokens: wire.max_output_tokens ?? undefined,
    parallel_tool_calls: wire.parallel_tool_calls ?? true,
    reasoning_effort: wire.reasoning?.reasoning_effort ?? wire.effort ?? undefined,
    reasoning_budget_tokens: reasoningBudget(wire),
    response_format: wire.response_format ?? wire.response_schema ?? responseFormat ?? undefined,
    strict: wire.strict ?? undefined,
    verbosity: wire.verbosity ?? undefined,
  })
}
