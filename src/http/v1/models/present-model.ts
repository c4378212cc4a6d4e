import type { EmbeddingModelInfo, ModelInfo } from '#llm/model.ts'
import type { EmbeddingModelWire, ModelWire } from './model-schema.ts'

/** Tokens per chunk and texts per request, V1's defaults. */
const EMBEDDING_CHUNK_SIZE = 300
const EMBEDDING_BATCH_SIZE = 32

/** What is known of a model, with V1's defaults for the settings of a call. */
export function presentModel(info: ModelInfo): ModelWire {
  return {
    handle: info.handle,
    name: info.name,
    display_name: info.displayName,
    provider_type: info.providerType,
    provider_name: info.providerName,
    model_type: 'llm',
    model: info.name,
    model_endpoint_type: info.endpointType,
    model_endpoint: info.endpoint,
    provider_category: info.isByok ? 'byok' : 'base',
    model_wrapper: null,
    context_window: info.contextWindow,
    put_inner_thoughts_in_kwargs: false,
    temperature: 1,
    max_tokens: info.maxOutputTokens,
    enable_reasoner: info.hasReasoning,
    reasoning_effort: null,
    max_reasoning_tokens: 0,
    effort: null,
    frequency_penalty: null,
    compatibility_type: null,
    verbosity: null,
    tier: null,
    parallel_tool_calls: true,
    response_format: null,
    strict: false,
    return_logprobs: false,
    top_logprobs: null,
    return_token_ids: false,
    tool_call_parser: null,
    max_context_window: info.contextWindow,
  }
}

export function presentEmbeddingModel(info: EmbeddingModelInfo): EmbeddingModelWire {
  return {
    handle: info.handle,
    name: info.name,
    display_name: info.displayName,
    provider_type: info.providerType,
    provider_name: info.providerName,
    model_type: 'embedding',
    embedding_endpoint_type: info.endpointType,
    embedding_endpoint: info.endpoint,
    embedding_model: info.name,
    embedding_dim: info.dimensions,
    embedding_chunk_size: EMBEDDING_CHUNK_SIZE,
    batch_size: EMBEDDING_BATCH_SIZE,
    azure_endpoint: null,
    azure_version: null,
    azure_deployment: null,
  }
}
