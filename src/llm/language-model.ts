import type { LanguageModelV4 } from '@ai-sdk/provider'
import { isOpenAiReasoningModel } from './catalog.ts'
import type { ModelFetch } from './fetch.ts'
import { metadataKeyOf } from './provider-options.ts'
import { isOpenAiItself, type Provider } from './provider-table.ts'

/** Sent where an operator's own gateway wants no key; undefined would make the SDK look into the environment. */
const NO_KEY = 'none'

/**
 * The AI SDK's model of a name at a provider, at the form of the base URL that answers. Each package is loaded with the first
 * model that needs it: together they are some 60 MB and a quarter of a second that no start has to pay.
 */
export async function createLanguageModel(
  provider: Provider,
  modelName: string,
  baseURL: string,
  fetch: ModelFetch,
): Promise<LanguageModelV4> {
  const apiKey = provider.apiKey ?? NO_KEY
  if (provider.kind === 'anthropic') {
    const { createAnthropic } = await import('@ai-sdk/anthropic')
    return createAnthropic({ baseURL, apiKey, fetch }).languageModel(modelName)
  }
  if (provider.kind === 'google') {
    const { createGoogle } = await import('@ai-sdk/google')
    return createGoogle({ baseURL, apiKey, fetch }).languageModel(modelName)
  }
  if (isOpenAiItself(provider)) {
    const { createOpenAI } = await import('@ai-sdk/openai')
    const openai = createOpenAI({ baseURL, apiKey, fetch })
    return isOpenAiReasoningModel(modelName) ? openai.responses(modelName) : openai.chat(modelName)
  }
  const { createOpenAICompatible } = await import('@ai-sdk/openai-compatible')
  const isReasoning = isOpenAiReasoningModel(modelName)
  return createOpenAICompatible({
    name: metadataKeyOf(provider),
    baseURL,
    fetch,
    includeUsage: !provider.isStrict,
    supportsStructuredOutputs: true,
    ...(provider.apiKey === undefined ? {} : { apiKey: provider.apiKey }),
    ...(isReasoning ? { transformRequestBody: renameMaxTokens } : {}),
  }).chatModel(modelName)
}

/** OpenAI's reasoning models behind a gateway know the limit by its newer name only. */
function renameMaxTokens({ max_tokens, ...body }: Record<string, unknown>): Record<string, unknown> {
  return max_tokens === undefined ? body : { ...body, max_completion_tokens: max_tokens }
}
