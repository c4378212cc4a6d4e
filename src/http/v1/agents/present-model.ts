import type { EmbeddingModelInfo, ModelInfo, ModelRegistry } from '#llm/model.ts'
import type { AgentRow } from '#store/agents/agent-row.ts'
import type { EmbeddingConfigWire, LlmConfigWire } from './agent-schema.ts'

/** What is known of models, looked up once per request. */
export interface ModelCatalog {
  models: ReadonlyMap<string, ModelInfo>
  embeddingModels: ReadonlyMap<string, EmbeddingModelInfo>
  /** Tokens; bounds agents that name no limit of their own. */
  maxContextWindow: number
}

export async function loadModelCatalog(
  models: ModelRegistry,
  organizationId: string,
  maxContextWindow: number,
): Promise<ModelCatalog> {
  const [llms, embeddings] = await Promise.all([
    models.listModels(organizationId),
    models.listEmbeddingModels(organizationId),
  ])
  return {
    models: new Map(llms.map((info) => [info.handle, info])),
    embeddingModels: new Map(embeddings.map((info) => [info.handle, info])),
    maxContextWindow,
  }
}

type Settings = Record<string, unknown>

/** Provider types for which clients have a type of settings; all others speak OpenAI's. */
const SETTINGS_TYPES = new Set([
  'openai',
  'anthropic',
  'google_ai',
  'google_vertex',
  'azure',
  'xai',
  'groq',
  'deepseek',
  'together',
  'bedrock',
  'openrouter',
  'zai',
  'baseten',
  'sglang',
])

/** The `provider_type` of a provider's settings. */
export const settingsTypeOf = (providerType: string): string =>
  SETTINGS_TYPES.has(providerType) ? providerType : 'openai'

/** V1's default where the model's own limit is not known. */
const DEFAULT_MAX_OUTPUT_TOKENS = 4096

/** The settings that were set over the defaults of the model's provider. */
export function presentModelSettings(agent: AgentRow, info: ModelInfo): Settings {
  const type = settingsTypeOf(info.providerType)
  return {
    max_output_tokens: info.maxOutputTokens ?? DEFAULT_MAX_OUTPUT_TOKENS,
    parallel_tool_calls: true,
    provider_type: type,
    temperature: 1,
    ...providerDefaults(type, info, agent.response_format),
    ...withoutNulls(agent.model_settings),
  }
}

const withoutNulls = (settings: Settings): Settings =>
  Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== null))

function providerDefaults(type: string, info: ModelInfo, responseFormat: Settings | null): Settings {
  switch (type) {
    case 'openai':
    case 'sglang':
      return {
        reasoning: { reasoning_effort: info.hasReasoning ? 'medium' : 'minimal' },
        response_format: responseFormat,
        strict: false,
      }
    case 'anthropic':
      return {
        thinking: { type: 'disabled', budget_tokens: 1024 },
        response_format: responseFormat,
        verbosity: null,
        effort: null,
        strict: false,
      }
    case 'google_ai':
    case 'google_vertex':
      return {
        thinking_config: { include_thoughts: info.hasReasoning, thinking_budget: 1024 },
        response_schema: responseFormat,
      }
    case 'zai':
      return { thinking: { type: 'enabled', clear_thinking: false }, response_format: responseFormat }
    default:
      return { response_format: responseFormat }
  }
}

/** The model of an agent; a handle whose provider is gone is described by its two parts. */
export function modelOf(agent: AgentRow, catalog: ModelCatalog): ModelInfo {
  const known = catalog.models.get(agent.model)
  if (known !== undefined) return known
  const slash = agent.model.indexOf('/')
  const provider = agent.model.slice(0, slash)
  const name = agent.model.slice(slash + 1)
  return {
    handle: agent.model,
    name,
    displayName: name,
    providerName: provider,
    providerType: provider,
    endpointType: SETTINGS_TYPES.has(provider) ? provider : 'openai',
    endpoint: null,
    contextWindow: agent.context_window_limit ?? catalog.maxContextWindow,
    maxOutputTokens: null,
    hasVision: false,
    hasReasoning: false,
  }
}

export function presentLlmConfig(
  agent: AgentRow,
  info: ModelInfo,
  settings: Settings,
  maxContextWindow: number,
): LlmConfigWire {
  const thinking = settings.thinking as { type?: string; budget_tokens?: number } | undefined
  const reasoning = settings.reasoning as { reasoning_effort?: string } | undefined
  return {
    model: info.name,
    display_name: info.displayName,
    model_endpoint_type: info.endpointType,
    model_endpoint: info.endpoint,
    provider_name: info.providerName,
    provider_category: info.isByok ? 'byok' : 'base',
    model_wrapper: null,
    context_window: Math.min(agent.context_window_limit ?? maxContextWindow, info.contextWindow),
    put_inner_thoughts_in_kwargs: false,
    handle: agent.model,
    temperature: (settings.temperature as number | undefined) ?? 1,
    max_tokens: (settings.max_output_tokens as number | undefined) ?? null,
    enable_reasoner: thinking === undefined || thinking.type === 'enabled',
    reasoning_effort: reasoning?.reasoning_effort ?? null,
    max_reasoning_tokens: thinking?.type === 'enabled' ? (thinking.budget_tokens ?? 0) : 0,
    effort: (settings.effort as string | undefined) ?? null,
    frequency_penalty: null,
    compatibility_type: null,
    verbosity: (settings.verbosity as string | undefined) ?? null,
    tier: null,
    parallel_tool_calls: (settings.parallel_tool_calls as boolean | undefined) ?? true,
    response_format: agent.response_format,
    strict: (settings.strict as boolean | undefined) ?? false,
    return_logprobs: false,
    top_logprobs: null,
    return_token_ids: false,
    tool_call_parser: null,
  }
}

/** Null for an agent without embedding, and for a handle that no provider lists. */
export function presentEmbeddingConfig(handle: string | null, catalog: ModelCatalog): EmbeddingConfigWire | null {
  const info = handle === null ? undefined : catalog.embeddingModels.get(handle)
  if (info === undefined) return null
  return {
    embedding_endpoint_type: info.endpointType,
    embedding_endpoint: info.endpoint,
    embedding_model: info.name,
    embedding_dim: info.dimensions,
    embedding_chunk_size: 300,
    handle: info.handle,
    batch_size: 32,
    azure_endpoint: null,
    azure_version: null,
    azure_deployment: null,
  }
}
