/** Fields that older clients send instead of `model`, `embedding`, `model_settings` and `context_window_limit`. */
export interface LegacyFields {
  model?: string | null
  embedding?: string | null
  model_settings?: Record<string, unknown> | null
  context_window_limit?: number | null
  llm_config?: Record<string, unknown> | null
  embedding_config?: Record<string, unknown> | null
  max_tokens?: number | null
  reasoning?: boolean | null
  /** Older than `reasoning`. */
  enable_reasoner?: boolean | null
  max_reasoning_tokens?: number | null
  parallel_tool_calls?: boolean | null
  secrets?: Record<string, string> | null
  tool_exec_environment_variables?: Record<string, string> | null
}

const text = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined)
const number = (value: unknown): number | undefined => (typeof value === 'number' ? value : undefined)

/** The same request with the older fields turned into the present ones; the present ones win. */
export function withoutLegacyFields<Body extends LegacyFields>(body: Body): Body {
  const llm = body.llm_config ?? {}
  const model = body.model ?? llmHandle(llm) ?? body.model
  const embedding = body.embedding ?? text(body.embedding_config?.handle) ?? body.embedding
  return {
    ...body,
    model,
    embedding,
    context_window_limit: body.context_window_limit ?? number(llm.context_window) ?? body.context_window_limit,
    model_settings: settingsOf(body, llm, model),
    secrets: body.secrets === undefined ? body.tool_exec_environment_variables : body.secrets,
  }
}

function llmHandle(llm: Record<string, unknown>): string | undefined {
  const provider = text(llm.provider_name) ?? text(llm.model_endpoint_type)
  const name = text(llm.model)
  return text(llm.handle) ?? (provider !== undefined && name !== undefined ? `${provider}/${name}` : undefined)
}

function settingsOf(
  body: LegacyFields,
  llm: Record<string, unknown>,
  model: string | null | undefined,
): Record<string, unknown> | null | undefined {
  const older = Object.entries({
    temperature: number(llm.temperature),
    max_output_tokens: body.max_tokens ?? number(llm.max_tokens),
    parallel_tool_calls: body.parallel_tool_calls ?? undefined,
    thinking: model?.startsWith('anthropic/') ? thinkingOf(body) : undefined,
  }).filter(([, value]) => value !== undefined)
  if (older.length === 0) return body.model_settings
  return { ...Object.fromEntries(older), ...body.model_settings }
}

function thinkingOf(body: LegacyFields): Record<string, unknown> | undefined {
  const { max_reasoning_tokens: budget } = body
  const reasoning = body.reasoning ?? body.enable_reasoner
  if (reasoning === undefined || reasoning === null) return undefined
  return reasoning ? { type: 'enabled', budget_tokens: budget ?? 1024 } : { type: 'disabled' }
}
