import Type, { type Static } from 'typebox'
import { Nullable } from '#http/wire/nullable.ts'

const NullableString = Nullable(Type.String())

/** A language model as sent: V1's configuration of a call, of which clients read handle, window and provider. */
export const ModelSchema = Type.Object({
  handle: NullableString,
  name: Type.String(),
  display_name: NullableString,
  provider_type: Type.String(),
  provider_name: NullableString,
  model_type: Type.Literal('llm'),
  model: Type.String(),
  model_endpoint_type: Type.String(),
  model_endpoint: NullableString,
  provider_category: NullableString,
  model_wrapper: Type.Null(),
  context_window: Type.Integer(),
  put_inner_thoughts_in_kwargs: Type.Boolean(),
  temperature: Type.Number(),
  max_tokens: Nullable(Type.Integer()),
  enable_reasoner: Type.Boolean(),
  reasoning_effort: Type.Null(),
  max_reasoning_tokens: Type.Integer(),
  effort: Type.Null(),
  frequency_penalty: Type.Null(),
  compatibility_type: Type.Null(),
  verbosity: Type.Null(),
  tier: Type.Null(),
  parallel_tool_calls: Type.Boolean(),
  response_format: Type.Null(),
  strict: Type.Boolean(),
  return_logprobs: Type.Boolean(),
  top_logprobs: Type.Null(),
  return_token_ids: Type.Boolean(),
  tool_call_parser: Type.Null(),
  max_context_window: Type.Integer(),
})
export type ModelWire = Static<typeof ModelSchema>

export const EmbeddingModelSchema = Type.Object({
  handle: NullableString,
  name: Type.String(),
  display_name: Type.String(),
  provider_type: Type.String(),
  provider_name: Type.String(),
  model_type: Type.Literal('embedding'),
  embedding_endpoint_type: Type.String(),
  embedding_endpoint: NullableString,
  embedding_model: Type.String(),
  embedding_dim: Type.Integer(),
  embedding_chunk_size: Nullable(Type.Integer()),
  batch_size: Type.Integer(),
  azure_endpoint: Type.Null(),
  azure_version: Type.Null(),
  azure_deployment: Type.Null(),
})
export type EmbeddingModelWire = Static<typeof EmbeddingModelSchema>
