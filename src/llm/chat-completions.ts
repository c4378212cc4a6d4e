import { StringDecoder } from 'node:string_decoder'
import {
  APICallError,
  type LanguageModelV4,
  type LanguageModelV4CallOptions,
  type LanguageModelV4StreamPart,
} from '@ai-sdk/provider'
import { generateId, type StreamingToolCallDelta, StreamingToolCallTracker } from '@ai-sdk/provider-utils'
import { createParser } from 'eventsource-parser'
import { type ModelFetch, readBody } from './fetch.ts'
import { CutAnswer } from './model-errors.ts'

/** An answer that has begun well, on its way past the SDK. */
class BegunAnswer extends Error {
  readonly response: Response
  /** What was asked, as JSON text. */
  readonly body: unknown
  constructor(response: Response, body: unknown) {
    super('the answer is read by ourselves')
    this.response = response
    this.body = body
  }
}

/**
 * A `fetch` for the SDK's models of OpenAI's chat completions: refusals go to the SDK as always, an answer that has begun well is
 * handed to `streamChatCompletion`. The SDK reads it through four web streams, which cost some 80 µs a piece of text: more
 * than the rest of the way from provider to client together.
 */
export function passingAnswers(fetch: ModelFetch): ModelFetch {
  return async (input, init) => {
    const response = await fetch(input, init)
    if (response.ok) throw new BegunAnswer(response, init?.body)
    return response
  }
}

export interface ChatStreamOptions {
  /** Under which metadata of tool calls is kept. */
  metadataKey: string
  /** Told what was sent. */
  onSent: ((body: unknown) => void) | undefined
}

/**
 * The parts of an answer, as the SDK's own stream would give them, in lists as they come from the network. Request and errors are the
 * SDK's.
 * @param languageModel made with a `fetch` of `passingAnswers`
 */
export async function* streamChatCompletion(
  languageModel: LanguageModelV4,
  options: LanguageModelV4CallOptions,
  { metadataKey, onSent }: ChatStreamOptions,
): AsyncGenerator<LanguageModelV4StreamPart[]> {
  const response = await begin(languageModel, options, onSent)
  const answer = new ChatAnswer(metadataKey)
  const parser = createParser({
    onEvent: ({ data }) => {
      if (data !== '[DONE]') answer.add(JSON.parse(data))
    },
  })
  const body = readBody(response)
  const decoder = new StringDecoder('utf8')
  let isOver = false
  try {
    for (let chunks = await body.read(); chunks !== undefined; chunks = await body.read()) {
      for (const chunk of chunks) parser.feed(decoder.write(chunk))
      const parts = answer.take()
      if (parts.length > 0) yield parts
    }
    parser.feed(decoder.end())
    parser.reset({ consume: true })
    isOver = true
    yield answer.finish()
  } finally {
    // ends the request where the loop was left early
    if (!isOver) body.cancel()
  }
}

async function begin(
  languageModel: LanguageModelV4,
  options: LanguageModelV4CallOptions,
  onSent: ChatStreamOptions['onSent'],
): Promise<Response> {
  try {
    await languageModel.doStream(options)
  } catch (error) {
    if (error instanceof BegunAnswer) {
      onSent?.(typeof error.body === 'string' ? JSON.parse(error.body) : undefined)
      return error.response
    }
    if (APICallError.isInstance(error)) onSent?.(error.requestBodyValues)
    throw error
  }
  throw new Error('the model was not made with passingAnswers()')
}

interface ChatDelta {
  content?: string | { type?: string; text?: unknown; thinking?: unknown }[] | null
  refusal?: string | null
  reasoning_content?: string | null
  reasoning?: string | null
  tool_calls?: CallDelta[] | null
}

interface CallDelta extends StreamingToolCallDelta {
  /** Google's thought signature, which must come back with the call. */
  extra_content?: { google?: { thought_signature?: string | null } | null } | null
}

interface ChatChunk {
  error?: unknown
  choices?: { delta?: ChatDelta | null; finish_reason?: string | null }[]
  usage?: ChatUsage | null
}

interface ChatUsage {
  prompt_tokens?: number | null
  completion_tokens?: number | null
  prompt_tokens_details?: { cached_tokens?: number | null } | null
  completion_tokens_details?: { reasoning_tokens?: number | null } | null
}

/** The chunks of one answer so far. Which pieces of tool calls belong together is the SDK's knowledge of many servers. */
class ChatAnswer {
  #parts: LanguageModelV4StreamPart[] = []
  #open: 'text' | 'reasoning' | undefined
  #usage: ChatUsage | undefined
  #finishReason: string | undefined
  #hasRefusal = false
  readonly #calls: StreamingToolCallTracker<CallDelta>
  /** Calls whose name has not come yet, by index. */
  readonly #nameless = new Map<number, CallDelta & { function: { arguments: string } }>()
  readonly #named = new Set<number>()

  constructor(metadataKey: string) {
    this.#calls = new StreamingToolCallTracker<CallDelta>(
      { enqueue: (part) => void (part !== undefined && this.#parts.push(part)) },
      {
        generateId,
        extractMetadata: ({ extra_content }) => {
          const signature = extra_content?.google?.thought_signature
          return signature == null ? undefined : { [metadataKey]: { thoughtSignature: signature } }
        },
        buildToolCallProviderMetadata: (metadata) => metadata,
      },
    )
  }

  /** The parts since the last time. */
  take(): LanguageModelV4StreamPart[] {
    const parts = this.#parts
    this.#parts = []
    return parts
  }

  /** Throws what the provider says of a failure, as it said it. */
  add(chunk: ChatChunk): void {
    if (chunk.error != null) throw chunk.error
    if (chunk.usage != null) this.#usage = chunk.usage
    const [choice] = chunk.choices ?? []
    if (choice?.finish_reason != null) this.#finishReason = choice.finish_reason
    if (choice?.delta != null) this.#addDelta(choice.delta)
  }

  #addDelta(delta: ChatDelta): void {
    this.#say('reasoning', delta.reasoning_content ?? delta.reasoning)
    if (Array.isArray(delta.content)) {
      for (const part of delta.content) {
        if (part.type === 'text') this.#say('text', part.text)
        else if (part.type === 'thinking' && Array.isArray(part.thinking)) {
          for (const thought of part.thinking) this.#say('reasoning', (thought as { text?: unknown } | null)?.text)
        }
      }
    } else this.#say('text', delta.content)
    if (delta.refusal != null && delta.refusal !== '') {
      this.#hasRefusal = true
      this.#say('text', delta.refusal)
    }
    for (const call of delta.tool_calls ?? []) {
      if (this.#open === 'reasoning') this.#close()
      this.#addCall(call)
    }
  }

  #say(type: 'text' | 'reasoning', text: unknown): void {
    if (typeof text !== 'string' || text === '') return
    if (this.#open !== type) {
      this.#close()
      this.#open = type
      this.#parts.push({ type: `${type}-start`, id: type })
    }
    this.#parts.push({ type: `${type}-delta`, id: type, delta: text })
  }

  #close(): void {
    if (this.#open === undefined) return
    this.#parts.push({ type: `${this.#open}-end`, id: this.#open })
    this.#open = undefined
  }

  /** Some servers send id and arguments before the name: they are kept until it comes. */
  #addCall(delta: CallDelta): void {
    const { index } = delta
    if (index == null || this.#named.has(index)) {
      this.#calls.processDelta(delta)
      return
    }
    const before = this.#nameless.get(index)
    const call = {
      ...delta,
      id: before?.id ?? delta.id ?? null,
      extra_content: before?.extra_content ?? delta.extra_content ?? null,
      function: {
        name: delta.function?.name ?? null,
        arguments: (before?.function.arguments ?? '') + (delta.function?.arguments ?? ''),
      },
    }
    if (call.function.name === null) this.#nameless.set(index, call)
    else {
      this.#nameless.delete(index)
      this.#named.add(index)
      this.#calls.processDelta(call)
    }
  }

  /** What is left, with the end. Throws where the provider has not said that the answer is complete. */
  finish(): LanguageModelV4StreamPart[] {
    this.#close()
    for (const call of this.#nameless.values()) this.#calls.processDelta(call)
    this.#calls.flush()
    if (this.#finishReason === undefined) throw new CutAnswer()
    const usage = this.#usage
    this.#parts.push({
      type: 'finish',
      finishReason: { unified: this.#unifiedReason(), raw: this.#finishReason },
      usage: {
        inputTokens: {
          total: usage?.prompt_tokens ?? undefined,
          noCache: undefined,
          cacheRead: usage?.prompt_tokens_details?.cached_tokens ?? undefined,
          cacheWrite: undefined,
        },
        outputTokens: {
          total: usage?.completion_tokens ?? undefined,
          text: undefined,
          reasoning: usage?.completion_tokens_details?.reasoning_tokens ?? undefined,
        },
      },
    })
    return this.take()
  }

  #unifiedReason(): 'stop' | 'length' | 'content-filter' | 'tool-calls' | 'other' {
    switch (this.#finishReason) {
      case 'stop':
        return this.#hasRefusal ? 'content-filter' : 'stop'
      case 'length':
        return 'length'
      case 'content_filter':
        return 'content-filter'
      case 'function_call':
      case 'tool_calls':
        return 'tool-calls'
      default:
        return 'other'
    }
  }
}
