import { createHash } from 'node:crypto'
import type {
  LanguageModelV4FilePart,
  LanguageModelV4Message,
  LanguageModelV4Prompt,
  LanguageModelV4ReasoningPart,
  LanguageModelV4TextPart,
  LanguageModelV4ToolCallPart,
  LanguageModelV4ToolResultPart,
  SharedV4ProviderOptions,
} from '@ai-sdk/provider'
import type {
  ContentPart,
  ImagePart,
  ProviderMetadata,
  ReasoningPart,
  RedactedReasoningPart,
  ToolCallPart,
  ToolResultPart,
  TranscriptMessage,
} from './model.ts'
import { parseToolArguments } from './parse-tool-arguments.ts'

export interface PromptOptions {
  /** Key of the provider's own data in `provider_metadata`; data of other providers is left out. */
  metadataKey: string
  /** Marks what Anthropic may cache: the system prompt and the end of the last message. */
  hasCacheMarkers?: boolean
  callIds?: CallIdRule
  /** Puts a message of the user before a transcript that begins with one of the model. */
  beginsWithUser?: boolean
  /** Sends the reasoning of the present turn back even without the provider's own data. */
  wantsReasoning?: boolean
}

/** Which call ids a provider accepts: its own only, where it is not one of the vendors; OpenAI's and Anthropic's; Mistral's. */
export type CallIdRule = 'any' | 'plain' | 'short'

type AssistantPart = LanguageModelV4TextPart | LanguageModelV4ReasoningPart | LanguageModelV4ToolCallPart

/** Anthropic keeps what stands before such a mark for five minutes. */
export const CACHE_MARKER: SharedV4ProviderOptions = { anthropic: { cacheControl: { type: 'ephemeral' } } }

/**
 * A transcript as the AI SDK takes it. The same messages give the same bytes in every request, so that a provider's cache of
 * the prompt's beginning keeps working. Pure.
 */
export function toPrompt(messages: readonly TranscriptMessage[], options: PromptOptions): LanguageModelV4Prompt {
  const lastUser = messages.findLastIndex((message) => message.role === 'user')
  const ids = nameCalls(options.callIds ?? 'any')
  const prompt: LanguageModelV4Prompt = []
  for (const [index, message] of messages.entries()) {
    const converted = toMessage(message, options, { ids, isPresentTurn: index > lastUser })
    if (converted !== undefined) prompt.push(converted)
  }
  const first = prompt.findIndex((message) => message.role !== 'system')
  if (options.beginsWithUser && prompt[first]?.role === 'assistant') {
    prompt.splice(first, 0, { role: 'user', content: [{ type: 'text', text: NO_TEXT }] })
  }
  if (options.hasCacheMarkers) markForCache(prompt)
  return prompt
}

interface Place {
  ids: CallNames
  isPresentTurn: boolean
}

/** Stands where a provider wants a text and there is none. */
const NO_TEXT = '(no text)'
const isBlank = (text: string): boolean => text.trim() === ''

/** Undefined for a message of which nothing is left for this provider. */
function toMessage(
  message: TranscriptMessage,
  options: PromptOptions,
  { ids, isPresentTurn }: Place,
): LanguageModelV4Message | undefined {
  if (message.role === 'system') return isBlank(message.text) ? undefined : { role: 'system', content: message.text }
  if (message.role === 'user') {
    // Anthropic refuses texts of white space only, and with them every later request of the conversation
    const content = message.content
      .filter((part) => part.type !== 'text' || !isBlank(part.text))
      .map((part) => (part.type === 'text' ? { type: 'text' as const, text: part.text } : toFile(part)))
    return { role: 'user', content: content.length > 0 ? content : [{ type: 'text', text: NO_TEXT }] }
  }
  if (message.role === 'tool') {
    return { role: 'tool', content: message.results.map((result) => toToolResult(result, ids)) }
  }
  const content: AssistantPart[] = []
  for (const part of message.content) {
    const converted = toAssistantPart(part, options, isPresentTurn)
    if (converted !== undefined) content.push(converted)
  }
  for (const call of message.toolCalls) content.push(toToolCall(call, options, ids))
  // Anthropic and OpenAI refuse a message that ends with reasoning: an answer that was cut off while the model thought
  const hasSaid = content.some((part) => part.type !== 'reasoning')
  return hasSaid ? { role: 'assistant', content } : undefined
}

/** Undefined for what this provider does not want back: images, and reasoning that another provider wrote. */
function toAssistantPart(
  part: ContentPart,
  options: PromptOptions,
  isPresentTurn: boolean,
): LanguageModelV4TextPart | LanguageModelV4ReasoningPart | undefined {
  if (part.type === 'image') return undefined
  const own = pickOwn(part.provider_metadata, options.metadataKey)
  if (part.type === 'text') {
    const isEmpty = isBlank(part.text) && (own === undefined || options.metadataKey === 'anthropic')
    return isEmpty ? undefined : { type: 'text', text: part.text, ...own }
  }
  const providerOptions = own?.providerOptions ?? anthropicData(part, options.metadataKey)
  const text = part.type === 'reasoning' ? part.reasoning : ''
  if (providerOptions !== undefined) return { type: 'reasoning', text, providerOptions }
  return options.wantsReasoning && isPresentTurn && text !== '' ? { type: 'reasoning', text } : undefined
}

/** Thinking that was imported, or stored before provider_metadata was: the signature or the cipher text is all Anthropic wants. */
function anthropicData(
  part: ReasoningPart | RedactedReasoningPart,
  metadataKey: string,
): SharedV4ProviderOptions | undefined {
  if (metadataKey !== 'anthropic' || part.provider_metadata !== undefined) return undefined
  if (part.type === 'redacted_reasoning') return { anthropic: { redactedData: part.data } }
  return part.signature ? { anthropic: { signature: part.signature } } : undefined
}

function toToolCall(call: ToolCallPart, options: PromptOptions, ids: CallNames): LanguageModelV4ToolCallPart {
  // providers want an object; what a model wrote as malformed JSON goes back as far as it could be understood
  const parsed = parseToolArguments(call.arguments)
  return {
    type: 'tool-call',
    toolCallId: ids.forCall(call.tool_call_id),
    toolName: call.name,
    input: parsed.ok ? parsed.value : {},
    ...pickOwn(call.provider_metadata, options.metadataKey),
  }
}

function toToolResult(result: ToolResultPart, ids: CallNames): LanguageModelV4ToolResultPart {
  const { text, images = [] } = result
  const output: LanguageModelV4ToolResultPart['output'] =
    images.length > 0
      ? { type: 'content', value: [{ type: 'text', text }, ...images.map(toFile)] }
      : { type: result.status === 'success' ? 'text' : 'error-text', value: text }
  return {
    type: 'tool-result',
    toolCallId: ids.forResult(result.tool_call_id),
    toolName: result.name,
    output,
  }
}

function toFile(image: ImagePart): LanguageModelV4FilePart | LanguageModelV4TextPart {
  const { source } = image
  if (source.type === 'url') {
    const url = URL.parse(source.url)
    if (url === null) return { type: 'text', text: '[image with an invalid address]' }
    return { type: 'file', mediaType: 'image/*', data: { type: 'url', url } }
  }
  if (source.data === undefined || source.data === null) return { type: 'text', text: '[image that is not stored]' }
  return {
    type: 'file',
    mediaType: source.media_type ?? 'image/*',
    data: { type: 'data', data: source.data },
    ...(source.detail ? { providerOptions: { openai: { imageDetail: source.detail } } } : {}),
  }
}

interface CallNames {
  forCall: (id: string) => string
  /** The name of the last call with that id: its result comes right after it. */
  forResult: (id: string) => string
}

/** Longest id of a call that OpenAI takes, and as many hexadecimal digits as SHA-1 has. */
const MAX_ID_CHARS = 40
const SHORT_ID_CHARS = 9

/**
 * Each vendor refuses ids that another one made: OpenAI those of vLLM (46 characters), Anthropic `functions.search:0` of Kimi and
 * ids that come twice in a transcript. They are replaced by others made from them, the same in every request. A server that is no
 * vendor's keeps its own, because the templates of some models read them.
 */
function nameCalls(rule: CallIdRule): CallNames {
  const pattern = { any: /^.{1,40}$/s, plain: /^[a-zA-Z0-9_-]{1,40}$/, short: /^[a-zA-Z0-9]{9}$/ }[rule]
  const used = new Set<string>()
  const names = new Map<string, string>()
  const hash = (text: string): string =>
    createHash('sha1')
      .update(text)
      .digest('hex')
      .slice(0, rule === 'short' ? SHORT_ID_CHARS : MAX_ID_CHARS)
  const rename = (id: string): string => (pattern.test(id) ? id : hash(id))
  return {
    forCall(id) {
      let name = rename(id)
      for (let count = 2; rule !== 'any' && used.has(name); count += 1) name = hash(`${id} ${count}`)
      used.add(name)
      names.set(id, name)
      return name
    },
    forResult: (id) => names.get(id) ?? rename(id),
  }
}

function pickOwn(
  metadata: ProviderMetadata | undefined,
  key: string,
): { providerOptions: SharedV4ProviderOptions } | undefined {
  const own = metadata?.[key]
  // it came from the provider as JSON
  return own === undefined ? undefined : { providerOptions: { [key]: own } as SharedV4ProviderOptions }
}

/** Two marks, and one on the last tool: each step of a turn finds the one before it in the cache. */
function markForCache(prompt: LanguageModelV4Prompt): void {
  const system = prompt.findLast((message) => message.role === 'system')
  if (system !== undefined) system.providerOptions = CACHE_MARKER
  const last = prompt.at(-1)
  if (last !== undefined && last !== system) last.providerOptions = CACHE_MARKER
}
