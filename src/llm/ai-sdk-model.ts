import { randomUUID } from 'node:crypto'
import type { LanguageModelV4StreamPart, LanguageModelV4Usage } from '@ai-sdk/provider'
import type { ModelFetch } from './fetch.ts'
import type { PartStream } from './language-model.ts'
import type {
  ContentPart,
  FinishReason,
  Model,
  ModelEvent,
  ModelInfo,
  ModelReply,
  ModelRequest,
  ProviderMetadata,
  ToolCallPart,
  Usage,
} from './model.ts'
import { CutAnswer, type ErrorSource, toModelError } from './model-errors.ts'
import { captureBody } from './preview-request.ts'
import { metadataKeyOf, toCallSettings } from './provider-options.ts'
import type { Provider } from './provider-table.ts'
import { type AttemptEvent, streamWithRetry } from './stream-with-retry.ts'
import { type CallIdRule, type PromptOptions, toPrompt } from './to-prompt.ts'

export interface AiSdkModelOptions {
  info: ModelInfo
  provider: Provider
  streamParts: PartStream
  /** The same model over another `fetch`, to look at requests without sending them. */
  makePartStream?: (fetch: ModelFetch) => Promise<PartStream>
  /** Backoff (ms) before the first retry, for tests. */
  firstDelayMs?: number
}

/** A model of a provider package of the AI SDK. */
export function createAiSdkModel(modelOptions: AiSdkModelOptions): Model {
  const { info, provider, streamParts, makePartStream, firstDelayMs } = modelOptions
  const source: ErrorSource = {
    providerName: provider.displayName,
    baseUrl: info.endpoint ?? provider.baseUrl,
    apiKey: provider.apiKey,
  }
  const promptOptions: PromptOptions = {
    metadataKey: metadataKeyOf(provider),
    hasCacheMarkers: provider.kind === 'anthropic',
    callIds: callIdsOf(provider),
    beginsWithUser: provider.kind === 'anthropic' || provider.kind === 'google',
    wantsReasoning: provider.wantsReasoning === true,
  }

  const toCall = (request: ModelRequest, signal: AbortSignal) => ({
    ...toCallSettings(request, info, provider),
    prompt: toPrompt(request.messages, promptOptions),
    abortSignal: signal,
  })

  async function* attempt(request: ModelRequest, signal: AbortSignal): AsyncGenerator<AttemptEvent> {
    const collector = new ReplyCollector()
    for await (const parts of streamParts(toCall(request, signal), noteIn(request.trace))) {
      for (const part of parts) {
        const event = collector.add(part)
        if (event !== undefined) yield event
      }
    }
    yield { type: 'reply', reply: collector.finish() }
  }

  return {
    info,
    stream: (request: ModelRequest): AsyncIterable<ModelEvent> =>
      streamWithRetry({
        attempt: (signal) => attempt(request, signal),
        toError: (error) => toModelError(error, source),
        signal: request.signal,
        handle: info.handle,
        ...(firstDelayMs === undefined ? {} : { firstDelayMs }),
      }),
    ...(makePartStream === undefined
      ? {}
      : { preview: (request: ModelRequest) => captureBody(makePartStream, toCall(request, request.signal)) }),
  }
}

function noteIn(trace: ModelRequest['trace']): ((body: unknown) => void) | undefined {
  if (trace === undefined) return undefined
  return (body) => {
    trace.sent = body
  }
}

function callIdsOf(provider: Provider): CallIdRule {
  if (provider.hasShortCallIds) return 'short'
  return provider.kind === 'openai-compatible' ? 'any' : 'plain'
}

type StreamPart = LanguageModelV4StreamPart
type Metadata = ProviderMetadata | undefined
interface OpenPart {
  type: 'text' | 'reasoning'
  text: string
  metadata: Metadata
}

/** Puts the parts of a stream together to the reply, and says what of each part is to be passed on. */
class ReplyCollector {
  readonly #parts: OpenPart[] = []
  readonly #openParts = new Map<string, OpenPart>()
  readonly #calls: ToolCallPart[] = []
  /** The call that an id of the provider's stands for at present; ids can come twice. */
  readonly #callsById = new Map<string, ToolCallPart>()
  readonly #finished = new Set<ToolCallPart>()
  #usage: LanguageModelV4Usage | undefined
  #finishReason: FinishReason | undefined

  /** Throws the error that a part brings, as the provider gave it. */
  add(part: StreamPart): AttemptEvent | undefined {
    switch (part.type) {
      case 'text-start':
      case 'reasoning-start':
        this.#open(part.type === 'text-start' ? 'text' : 'reasoning', part.id, part.providerMetadata)
        return undefined
      case 'text-delta':
      case 'reasoning-delta': {
        const type = part.type === 'text-delta' ? 'text' : 'reasoning'
        const open = this.#openParts.get(`${type} ${part.id}`) ?? this.#open(type, part.id, undefined)
        open.text += part.delta
        open.metadata = merge(open.metadata, part.providerMetadata)
        return part.delta === '' ? undefined : { type: part.type, text: part.delta }
      }
      case 'text-end':
      case 'reasoning-end': {
        const key = `${part.type === 'text-end' ? 'text' : 'reasoning'} ${part.id}`
        const open = this.#openParts.get(key)
        if (open !== undefined) open.metadata = merge(open.metadata, part.providerMetadata)
        this.#openParts.delete(key)
        return undefined
      }
      case 'tool-input-start': {
        const call = this.#startCall(part.id, part.toolName)
        return { type: 'tool-call-start', toolCallId: call.tool_call_id, name: call.name }
      }
      case 'tool-input-delta': {
        const call = this.#callsById.get(part.id)
        if (call === undefined || part.delta === '') return undefined
        call.arguments += part.delta
        return { type: 'tool-call-delta', toolCallId: call.tool_call_id, argumentsDelta: part.delta }
      }
      case 'tool-call':
        return this.#finishCall(part)
      case 'finish':
        this.#usage = part.usage
        this.#finishReason = toFinishReason(part.finishReason.unified)
        if (part.finishReason.unified === 'interrupted') {
          throw new CutAnswer()
        }
        return undefined
      case 'error':
        throw part.error
      default:
        return undefined
    }
  }

  finish(): ModelReply {
    if (this.#finishReason === undefined) {
      throw new CutAnswer()
    }
    const isCalling = this.#calls.length > 0 && this.#finishReason === 'stop'
    return {
      content: this.#parts.map(toContent).filter((part) => part !== undefined),
      toolCalls: this.#calls,
      finishReason: isCalling ? 'tool-calls' : this.#finishReason,
      usage: toUsage(this.#usage),
    }
  }

  #open(type: OpenPart['type'], id: string, metadata: Metadata): OpenPart {
    const part: OpenPart = { type, text: '', metadata }
    this.#parts.push(part)
    this.#openParts.set(`${type} ${id}`, part)
    return part
  }

  #startCall(id: string, name: string): ToolCallPart {
    const isUsed = id === '' || this.#calls.some((call) => call.tool_call_id === id)
    const call: ToolCallPart = {
      tool_call_id: isUsed ? `call_${randomUUID().replaceAll('-', '')}` : id,
      name,
      arguments: '',
    }
    this.#calls.push(call)
    this.#callsById.set(id, call)
    return call
  }

  /** The arguments of a finished call are the truth; a provider that sends a call in one piece has no start before it. */
  #finishCall(part: Extract<StreamPart, { type: 'tool-call' }>): AttemptEvent | undefined {
    const known = this.#callsById.get(part.toolCallId)
    const isStart = known === undefined || this.#finished.has(known)
    const call = isStart ? this.#startCall(part.toolCallId, part.toolName) : known
    this.#finished.add(call)
    call.arguments = part.input
    if (part.providerMetadata !== undefined) call.provider_metadata = part.providerMetadata
    return isStart ? { type: 'tool-call-start', toolCallId: call.tool_call_id, name: call.name } : undefined
  }
}

function merge(before: Metadata, after: Metadata): Metadata {
  if (before === undefined || after === undefined) return after ?? before
  const merged: ProviderMetadata = { ...before }
  for (const [key, value] of Object.entries(after)) merged[key] = { ...merged[key], ...value }
  return merged
}

function toContent({ type, text, metadata }: OpenPart): ContentPart | undefined {
  const kept = metadata === undefined || Object.keys(metadata).length === 0 ? {} : { provider_metadata: metadata }
  if (type === 'text') return text === '' && metadata === undefined ? undefined : { type, text, ...kept }
  const anthropic = metadata?.anthropic
  const data = anthropic?.redactedData ?? (text === '' ? metadata?.openai?.reasoningEncryptedContent : undefined)
  if (typeof data === 'string') return { type: 'redacted_reasoning', data, ...kept }
  if (text === '') return undefined
  const signature = typeof anthropic?.signature === 'string' ? { signature: anthropic.signature } : {}
  return { type, reasoning: text, ...signature, ...kept }
}

function toFinishReason(reason: string): FinishReason {
  return reason === 'interrupted' ? 'error' : (reason as FinishReason)
}

function toUsage(usage: LanguageModelV4Usage | undefined): Usage {
  return {
    inputTokens: usage?.inputTokens.total ?? 0,
    outputTokens: usage?.outputTokens.total ?? 0,
    cachedInputTokens: usage?.inputTokens.cacheRead ?? null,
    cacheWriteTokens: usage?.inputTokens.cacheWrite ?? null,
    reasoningTokens: usage?.outputTokens.reasoning ?? null,
  }
}
