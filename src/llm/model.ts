/**
 * The contract between the agent loop and any language model. The loop knows only this file; providers, the demonstration
 * model and the scripted models of the tests implement it.
 */

export interface TextPart {
  type: 'text'
  text: string
  /** What the model said to itself, not to the user; the model reads it as any other text. */
  is_thought?: boolean
  /** Opaque data that the provider wants back with this part (thought signatures…), keyed by provider. */
  provider_metadata?: ProviderMetadata
}
export interface ImagePart {
  type: 'image'
  source:
    | { type: 'base64'; media_type: string; data: string; detail?: string | null }
    | { type: 'url'; url: string }
    | { type: 'letta'; file_id: string; media_type?: string | null; data?: string | null; detail?: string | null }
}
export interface ReasoningPart {
  type: 'reasoning'
  reasoning: string
  /** Provider's signature over the text; replayed unchanged. */
  signature?: string | null
  provider_metadata?: ProviderMetadata
}
/** Reasoning that the provider sent encrypted: `data` is replayed, never shown. */
export interface RedactedReasoningPart {
  type: 'redacted_reasoning'
  data: string
  provider_metadata?: ProviderMetadata
}
export type ContentPart = TextPart | ImagePart | ReasoningPart | RedactedReasoningPart

/** JSON object keyed by provider name, exactly as the AI SDK gives and takes it. */
export type ProviderMetadata = Record<string, Record<string, unknown>>

export interface ToolCallPart {
  /** The provider's id of the call, unique within one reply (the loop makes it unique where a provider does not). */
  tool_call_id: string
  name: string
  /** JSON text as the model wrote it; not yet parsed, perhaps malformed. */
  arguments: string
  provider_metadata?: ProviderMetadata
}
export interface ToolResultPart {
  tool_call_id: string
  name: string
  status: 'success' | 'error'
  /** What the model reads. */
  text: string
  images?: ImagePart[]
}

/** One message of the transcript that goes to a model, already valid: each call is followed by exactly one result. */
export type TranscriptMessage =
  | { role: 'system'; text: string }
  | { role: 'user'; content: (TextPart | ImagePart)[] }
  | { role: 'assistant'; content: ContentPart[]; toolCalls: ToolCallPart[] }
  | { role: 'tool'; results: ToolResultPart[] }

export interface ToolDefinition {
  name: string
  description: string
  /** JSON Schema of an object. */
  parameters: Record<string, unknown>
}

export type ToolChoice = { type: 'auto' } | { type: 'none' } | { type: 'required' } | { type: 'tool'; name: string }

/** Settings of one request, named and ranged as `model_settings` of the wire; undefined means the provider's default. */
export interface ModelSettings {
  temperature?: number
  max_output_tokens?: number
  parallel_tool_calls?: boolean
  reasoning_effort?: string
  /** Tokens for thinking; 0 switches it off where the provider can. */
  reasoning_budget_tokens?: number
  response_format?: Record<string, unknown>
  strict?: boolean
  verbosity?: string
}

export interface ModelRequest {
  messages: TranscriptMessage[]
  tools: ToolDefinition[]
  toolChoice: ToolChoice
  settings: ModelSettings
  /** Stable per end user; sent to providers that take one. */
  user?: string
  /** Where it is given, a provider's model writes into it what it sent, as JSON without headers. */
  trace?: { sent?: unknown }
  signal: AbortSignal
}

/** Token counts as the provider reported them. `inputTokens` includes the cached ones. */
export interface Usage {
  inputTokens: number
  outputTokens: number
  cachedInputTokens: number | null
  cacheWriteTokens: number | null
  reasoningTokens: number | null
}

export type FinishReason = 'stop' | 'length' | 'tool-calls' | 'content-filter' | 'error' | 'other'

export interface ModelReply {
  content: ContentPart[]
  toolCalls: ToolCallPart[]
  finishReason: FinishReason
  usage: Usage
}

export type ModelEvent =
  | { type: 'reasoning-delta'; text: string }
  | { type: 'text-delta'; text: string }
  | { type: 'tool-call-start'; toolCallId: string; name: string }
  | { type: 'tool-call-delta'; toolCallId: string; argumentsDelta: string }
  /** Provider failed before anything was sent to the caller; a further attempt follows after `delayMs`. */
  | { type: 'retry'; attempt: number; delayMs: number; error: ModelError }
  /** Last event of every successful stream. */
  | { type: 'reply'; reply: ModelReply; timing: ModelTiming }

export interface ModelTiming {
  /** Milliseconds from the request to the first content of the reply. */
  firstTokenMs: number
  totalMs: number
  /** Number of requests sent, 1 when none was retried. */
  attempts: number
}

export type ModelErrorKind =
  | 'rate_limit'
  | 'authentication'
  | 'insufficient_credits'
  | 'context_window_exceeded'
  | 'bad_request'
  | 'not_found'
  | 'timeout'
  | 'overloaded'
  | 'server_error'
  | 'connection'
  | 'invalid_response'
  | 'aborted'

/** A provider's failure with its own words. `message` names provider and endpoint host, never a key. */
export class ModelError extends Error {
  readonly kind: ModelErrorKind
  readonly status: number | undefined
  readonly retryAfterMs: number | undefined

  constructor(
    kind: ModelErrorKind,
    message: string,
    options: { status?: number; retryAfterMs?: number; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'ModelError'
    this.kind = kind
    this.status = options.status
    this.retryAfterMs = options.retryAfterMs
  }
}

/** What is known of a model without calling it. */
export interface ModelInfo {
  /** `<provider name>/<model name>`; what agents store and clients send. */
  handle: string
  name: string
  displayName: string
  providerName: string
  /** The wire's provider type: openai, anthropic, google_ai, ollama… */
  providerType: string
  /** The wire's `model_endpoint_type`. */
  endpointType: string
  endpoint: string | null
  contextWindow: number
  maxOutputTokens: number | null
  hasVision: boolean
  hasReasoning: boolean
  /** Its provider was brought by a tenant, who pays for it; else it is the server's. */
  isByok?: boolean
}

export interface EmbeddingModelInfo {
  handle: string
  name: string
  displayName: string
  providerName: string
  providerType: string
  endpointType: string
  endpoint: string | null
  dimensions: number
  isByok?: boolean
}

/** A model ready to be called. `stream` throws ModelError; every stream ends with one `reply` event or an error. */
export interface Model {
  readonly info: ModelInfo
  stream(request: ModelRequest): AsyncIterable<ModelEvent>
  /** The body that the provider would get for a request; nothing is sent. Not there for models that need no provider. */
  preview?(request: ModelRequest): Promise<Record<string, unknown>>
}

/** What the rest of the server asks of the llm layer. */
export interface ModelRegistry {
  /**
   * Models of all configured providers and of those that the organisation has brought (null: of none); a provider that does not
   * answer is left out and retried later. Cached.
   */
  listModels(organizationId: string | null): Promise<ModelInfo[]>
  listEmbeddingModels(organizationId: string | null): Promise<EmbeddingModelInfo[]>
  /**
   * The model of a handle, for an organisation (null: of the configured providers only). Throws DomainError not_found for a
   * provider that is not configured (and for a model that a
   * reachable provider does not list), naming what there is; throws invalid_argument for a handle without a slash.
   * `contextWindow` overrides the known window (`context_window_limit` of the agent).
   */
  getModel(handle: string, organizationId: string | null): Promise<Model>
}
