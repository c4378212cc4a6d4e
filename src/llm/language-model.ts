import {
  APICallError,
  type LanguageModelV4,
  type LanguageModelV4CallOptions,
  type LanguageModelV4StreamPart,
} from '@ai-sdk/provider'
import { isOpenAiReasoningModel } from './catalog.ts'
import type { ModelFetch } from './fetch.ts'
import { metadataKeyOf } from './provider-options.ts'
import { isOpenAiItself, type Provider } from './provider-table.ts'

/** Sent where an operator's own gateway wants no key; undefined would make the SDK look into the environment. */
const NO_KEY = 'none'

/** Asks a model once; the parts of its answer come in lists, as they come from the network. `onSent` is told the body, also of a refused request. */
export type PartStream = (
  options: LanguageModelV4CallOptions,
  onSent?: (body: unknown) => void,
) => AsyncIterable<LanguageModelV4StreamPart[]>

/**
 * The AI SDK's model of a name at a provider, at the form of the base URL that answers. Each package is loaded with the first
 * model that needs it: together they are some 60 MB and a quarter of a second that no start has to pay.
 */
export async function createPartStream(
  provider: Provider,
  modelName: string,
  baseURL: string,
  fetch: ModelFetch,
): Promise<PartStream> {
  const apiKey = provider.apiKey ?? NO_KEY
  if (provider.kind === 'anthropic') {
    const { createAnthropic } = await import('@ai-sdk/anthropic')
    return partsOf(createAnthropic({ baseURL, apiKey, fetch }).languageModel(modelName))
  }
  if (provider.kind === 'google') {
    const { createGoogle } = await import('@ai-sdk/google')
    return partsOf(createGoogle({ baseURL, apiKey, fetch }).languageModel(modelName))
  }
  const isReasoning = isOpenAiReasoningModel(modelName)
  if (isOpenAiItself(provider) && isReasoning) {
    const { createOpenAI } = await import('@ai-sdk/openai')
    return partsOf(createOpenAI({ baseURL, apiKey, fetch }).responses(modelName))
  }
  const { passingAnswers, streamChatCompletion } = await import('./chat-completions.ts')
  const languageModel = await createChatModel(provider, modelName, baseURL, passingAnswers(fetch))
  const metadataKey = metadataKeyOf(provider)
  return (options, onSent) => streamChatCompletion(languageModel, options, { metadataKey, onSent })
}

async function createChatModel(
  provider: Provider,
  modelName: string,
  baseURL: string,
  fetch: ModelFetch,
): Promise<LanguageModelV4> {
  if (isOpenAiItself(provider)) {
    const { createOpenAI } = await import('@ai-sdk/openai')
    return createOpenAI({ baseURL, apiKey: provider.apiKey ?? NO_KEY, fetch }).chat(modelName)
  }
  const { createOpenAICompatible } = await import('@ai-sdk/openai-compatible')
  return createOpenAICompatible({
    name: metadataKeyOf(provider),
    baseURL,
    fetch,
    includeUsage: !provider.isStrict,
    supportsStructuredOutputs: true,
    ...(provider.apiKey === undefined ? {} : { apiKey: provider.apiKey }),
    ...(isOpenAiReasoningModel(modelName) ? { transformRequestBody: renameMaxTokens } : {}),
  }).chatModel(modelName)
}

/** The parts of the SDK's own stream. */
function partsOf(languageModel: LanguageModelV4): PartStream {
  return async function* read(options, onSent) {
    const { stream } = await begin(languageModel, options, onSent)
    const reader = stream.getReader()
    let isOver = false
    try {
      for (let next = await reader.read(); !next.done; next = await reader.read()) yield [next.value]
      isOver = true
    } finally {
      // ends the request where the loop was left early; how the rest of the stream fails is of no interest then
      if (!isOver) reader.cancel().catch(() => {})
    }
  }
}

async function begin(
  languageModel: LanguageModelV4,
  options: LanguageModelV4CallOptions,
  onSent: ((body: unknown) => void) | undefined,
) {
  try {
    const answer = await languageModel.doStream(options)
    onSent?.(answer.request?.body)
    return answer
  } catch (error) {
    if (APICallError.isInstance(error)) onSent?.(error.requestBodyValues)
    throw error
  }
}

/** OpenAI's reasoning models behind a gateway know the limit by its newer name only. */
function renameMaxTokens({ max_tokens, ...body }: Record<string, unknown>): Record<string, unknown> {
  return max_tokens === undefined ? body : { ...body, max_completion_tokens: max_tokens }
}
