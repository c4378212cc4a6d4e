import type {
  JSONObject,
  LanguageModelV4CallOptions,
  LanguageModelV4FunctionTool,
  LanguageModelV4ToolChoice,
} from '@ai-sdk/provider'
import { isOpenAiReasoningModel } from './catalog.ts'
import type {
  ContentPart,
  ModelInfo,
  ModelRequest,
  ModelSettings,
  ToolChoice,
  ToolDefinition,
  TranscriptMessage,
} from './model.ts'
import { isOpenAiItself, type Provider } from './provider-table.ts'
import { CACHE_MARKER } from './to-prompt.ts'

/** Everything of a request but its messages and its signal. */
export type CallSettings = Omit<LanguageModelV4CallOptions, 'prompt' | 'abortSignal'>

/** Anthropic's least budget for thinking, in tokens. */
const MIN_ANTHROPIC_BUDGET = 1024
/** The least that Gemini's pro models can be limited to, in tokens; they cannot be switched off. */
const MIN_GEMINI_PRO_BUDGET = 128

/** `model_settings`, tools and tool choice as the provider of a model takes them; what it does not know is left out. */
export function toCallSettings(request: ModelRequest, info: ModelInfo, provider: Provider): CallSettings {
  const settings = defined<CallSettings>({
    maxOutputTokens: request.settings.max_output_tokens,
    temperature: request.settings.temperature,
    responseFormat: toResponseFormat(request.settings.response_format),
    ...toTools(request, provider),
  })
  if (provider.kind === 'anthropic') return { ...settings, ...anthropic(request) }
  if (provider.kind === 'google') return { ...settings, ...google(request.settings, info) }
  return openai(settings, request, info, provider)
}

/** Name under which the SDK's model reads options and gives metadata. */
export function metadataKeyOf(provider: Provider): string {
  if (provider.kind !== 'openai-compatible') return provider.kind
  // the SDK takes the part before a dot and reads camel case; other forms give a warning per call
  return provider.name.replace(/[^a-zA-Z0-9]+(.)?/g, (_separator, next?: string) => next?.toUpperCase() ?? '')
}

function openai(settings: CallSettings, request: ModelRequest, info: ModelInfo, provider: Provider): CallSettings {
  const { parallel_tool_calls, reasoning_effort, response_format, verbosity } = request.settings
  const isOfOpenAi = /^(gpt-\d|chatgpt|o\d)/.test(info.name)
  const isReasoning = isOpenAiReasoningModel(info.name)
  if (isReasoning && reasoning_effort !== 'none') delete settings.temperature
  const isSdkOfOpenAi = isOpenAiItself(provider)
  const isResponses = isSdkOfOpenAi && isReasoning
  // an OpenAI model that does not reason refuses the field; of the models of others we do not know
  const effort = isReasoning || !isOfOpenAi ? reasoning_effort : undefined
  const isSequential = parallel_tool_calls === false && request.tools.length > 0
  const options = defined({
    user: provider.isStrict || provider.kind !== 'openai' ? undefined : request.user,
    reasoningEffort: effort,
    textVerbosity: isOfOpenAi && !isReasoning ? undefined : verbosity,
    strictJsonSchema: isStrictFormat(response_format),
    ...(isSequential ? { [isSdkOfOpenAi ? 'parallelToolCalls' : 'parallel_tool_calls']: false } : {}),
    ...(isResponses ? { store: false, include: ['reasoning.encrypted_content'], reasoningSummary: 'auto' } : {}),
  })
  return { ...settings, providerOptions: { [metadataKeyOf(provider)]: options as JSONObject } }
}

function anthropic(request: ModelRequest): CallSettings {
  const { parallel_tool_calls, reasoning_budget_tokens: budget, reasoning_effort } = request.settings
  // thinking and a forced tool call exclude each other
  const isForced = request.toolChoice.type === 'required' || request.toolChoice.type === 'tool'
  const options = defined({
    thinking:
      budget === undefined ? undefined : toThinking(isForced || hasBegunWithoutThinking(request.messages) ? 0 : budget),
    disableParallelToolUse: parallel_tool_calls === false ? true : undefined,
    metadata: request.user === undefined ? undefined : { userId: request.user },
  })
  const effort = isForced ? undefined : toEffort(reasoning_effort)
  return {
    ...(effort === undefined ? {} : { reasoning: effort }),
    providerOptions: { anthropic: options as JSONObject },
  }
}

const toThinking = (budget: number): JSONObject =>
  budget === 0 ? { type: 'disabled' } : { type: 'enabled', budgetTokens: Math.max(budget, MIN_ANTHROPIC_BUDGET) }

function google({ reasoning_budget_tokens: budget, reasoning_effort }: ModelSettings, info: ModelInfo): CallSettings {
  if (!info.hasReasoning) return {}
  const isPro = /^gemini-2\.5-pro/.test(info.name)
  const thinkingBudget = budget !== undefined && isPro ? Math.max(budget, MIN_GEMINI_PRO_BUDGET) : budget
  const thinkingConfig = defined({ thinkingBudget, includeThoughts: thinkingBudget !== 0 })
  const effort = budget === undefined ? toEffort(reasoning_effort) : undefined
  return {
    ...(effort === undefined ? {} : { reasoning: effort }),
    providerOptions: { google: { thinkingConfig: thinkingConfig as JSONObject } },
  }
}

/** Anthropic refuses to think in the middle of a turn that it, or another provider's model, began without thinking. */
function hasBegunWithoutThinking(messages: readonly TranscriptMessage[]): boolean {
  const lastUser = messages.findLastIndex((message) => message.role === 'user')
  const said = messages.slice(lastUser + 1).filter((message) => message.role === 'assistant')
  return said.length > 0 && !said.some((message) => message.content.some(isAnthropicThinking))
}

function isAnthropicThinking(part: ContentPart): boolean {
  if (part.type !== 'reasoning' && part.type !== 'redacted_reasoning') return false
  if (part.provider_metadata !== undefined) return part.provider_metadata.anthropic !== undefined
  return part.type === 'redacted_reasoning' || Boolean(part.signature)
}

type Effort = NonNullable<LanguageModelV4CallOptions['reasoning']>
const EFFORTS: readonly string[] = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'] satisfies Effort[]

const toEffort = (effort: string | undefined): Effort | undefined =>
  effort !== undefined && EFFORTS.includes(effort) ? (effort as Effort) : undefined

interface WireFormat {
  type?: unknown
  json_schema?: { name?: string; description?: string; schema?: Record<string, unknown>; strict?: boolean | null }
}

/** `{type: text | json_object | json_schema, json_schema: {name, schema, strict}}`, OpenAI's form, which the wire has too. */
function toResponseFormat(format: WireFormat | undefined): LanguageModelV4CallOptions['responseFormat'] {
  if (format?.type === 'json_object') return { type: 'json' }
  if (format?.type !== 'json_schema') return undefined
  const { schema, name, description } = format.json_schema ?? {}
  return defined<{ type: 'json' }>({ type: 'json', schema, name, description } as { type: 'json' })
}

const isStrictFormat = (format: WireFormat | undefined): boolean | undefined =>
  format?.type === 'json_schema' ? format.json_schema?.strict === true : undefined

function toTools(request: ModelRequest, provider: Provider): Pick<CallSettings, 'tools' | 'toolChoice'> {
  if (request.tools.length === 0) return {}
  const tools = request.tools.map((tool) => toTool(tool, request.settings, provider))
  const last = tools.at(-1)
  if (provider.kind === 'anthropic' && last !== undefined) last.providerOptions = CACHE_MARKER
  return { tools, toolChoice: toToolChoice(request.toolChoice) }
}

function toTool(tool: ToolDefinition, { strict }: ModelSettings, provider: Provider): LanguageModelV4FunctionTool {
  return {
    type: 'function',
    name: tool.name,
    description: tool.description,
    inputSchema: tool.parameters,
    // the Responses API takes a missing value for true, and then refuses schemas with optional properties
    ...(provider.kind === 'openai' ? { strict: strict === true && isStrictSchema(tool.parameters) } : {}),
  }
}

function toToolChoice(choice: ToolChoice): LanguageModelV4ToolChoice {
  return choice.type === 'tool' ? { type: 'tool', toolName: choice.name } : choice
}

interface Schema {
  properties?: Record<string, Schema>
  required?: string[]
  additionalProperties?: unknown
  items?: Schema
}

/** Whether OpenAI's strict mode accepts a schema: closed objects with every property required, all the way down. */
export function isStrictSchema(schema: Schema): boolean {
  if (schema.items !== undefined && !isStrictSchema(schema.items)) return false
  if (schema.properties === undefined) return true
  if (schema.additionalProperties !== false) return false
  return Object.entries(schema.properties).every(
    ([name, property]) => schema.required?.includes(name) === true && isStrictSchema(property),
  )
}

function defined<Value extends object>(value: { [Key in keyof Value]: Value[Key] | undefined }): Value {
  return Object.fromEntries(Object.entries(value).filter(([, entry]) => entry !== undefined)) as Value
}
