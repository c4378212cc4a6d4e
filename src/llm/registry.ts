import { DomainError, invalidArgument, notFound } from '#platform/errors.ts'
import type { Logger } from '#platform/logger.ts'
import { createAiSdkModel } from './ai-sdk-model.ts'
import { type CachedLoad, cachedLoad } from './cached-load.ts'
import { findInCatalog } from './catalog.ts'
import { createDemoModel } from './demo-model.ts'
import { createModelFetch, type ModelFetch, type ModelFetchOptions } from './fetch.ts'
import { createPartStream } from './language-model.ts'
import { type ListedModel, type Listing, listProviderModels } from './list-models.ts'
import type { EmbeddingModelInfo, Model, ModelInfo, ModelRegistry } from './model.ts'
import { type Provider, type ProviderInput, toProviders } from './provider-table.ts'

export interface ModelRegistryOptions {
  /** Providers of `provider-table.ts` for which the operator set a key or an address. */
  providers: readonly ProviderInput[]
  /** Further servers with OpenAI's API. */
  openaiCompatible: readonly (ProviderInput & { baseUrl: string })[]
  /** Time (ms) to the first byte of an answer; models on the operator's own machines get ten minutes at least. */
  firstByteTimeoutMs: number
  /** Longest silence (ms) in the middle of an answer. */
  idleTimeoutMs: number
  logger: Logger
  /** Makes the `fetch` of a provider's calls, for tests. */
  createFetch?: (options: ModelFetchOptions) => ModelFetch
  /** Backoff (ms) before the first retry, for tests. */
  firstDelayMs?: number
}

const LISTING_KEEP_MS = 10 * 60_000
/** A provider that did not answer is asked again after this. */
const LISTING_RETRY_MS = 15_000
/** Loading a large model from disk into memory takes minutes. */
const LOCAL_FIRST_BYTE_TIMEOUT_MS = 600_000
const HANDLES_IN_ERROR = 20

/** OpenAI's embedding models and the length of their vectors; V1 lists these three whatever OpenAI's list says. */
const OPENAI_EMBEDDINGS: readonly ListedModel[] = [
  { name: 'text-embedding-ada-002', dimensions: 1536, isChat: false },
  { name: 'text-embedding-3-small', dimensions: 1536, isChat: false },
  { name: 'text-embedding-3-large', dimensions: 3072, isChat: false },
]

interface Served {
  provider: Provider
  fetch: ModelFetch
  listing: CachedLoad<Listing>
}

interface KnownModel {
  model: Model
  /** Made with what the provider's own list says; otherwise it is made anew once there is a list. */
  isListed: boolean
}

/** The models of all configured providers, and `perdure/demo`. Nothing is asked of a provider before it is needed. */
export function createModelRegistry(options: ModelRegistryOptions): ModelRegistry {
  const { logger } = options
  const served = toProviders(options.providers, options.openaiCompatible).map((provider) => serve(provider, options))
  const demo = createDemoModel()
  const known = new Map<string, KnownModel>([[demo.info.handle, { model: demo, isListed: true }]])

  async function listModels(): Promise<ModelInfo[]> {
    const lists = await Promise.all(
      served.map(async ({ provider, listing }) => {
        const { models, baseUrl } = await listing.get()
        return (models ?? []).filter((model) => model.isChat).map((model) => toModelInfo(provider, model, baseUrl))
      }),
    )
    return [...lists.flat(), demo.info]
  }

  async function listEmbeddingModels(): Promise<EmbeddingModelInfo[]> {
    const lists = await Promise.all(
      served.map(async ({ provider, listing }) => {
        if (provider.kind === 'openai') {
          return OPENAI_EMBEDDINGS.map((model) => toEmbeddingInfo(provider, model, provider.baseUrl))
        }
        const { models, baseUrl } = await listing.get()
        return (models ?? []).filter(hasDimensions).map((model) => toEmbeddingInfo(provider, model, baseUrl))
      }),
    )
    return lists.flat()
  }

  async function getModel(handle: string): Promise<Model> {
    const { providerName, modelName } = splitHandle(handle)
    const entry = served.find(({ provider }) => isNamed(provider, providerName))
    const canonical = entry === undefined ? handle : `${entry.provider.name}/${modelName}`
    const found = known.get(canonical)
    if (found?.isListed) return found.model
    if (entry === undefined) throw await handleNotFound(handle)
    const { provider, fetch } = entry
    // a provider that hangs must not delay the turns of a model that was used before
    const listing = found === undefined ? await entry.listing.get() : entry.listing.peek()
    if (found !== undefined && listing?.models === undefined) return found.model
    if (listing === undefined) throw new DomainError('internal', `No list of ${provider.name} was loaded.`)
    const listed = listing.models && findListed(listing.models, modelName)
    if (listing.models !== undefined && listed === undefined && !isAlias(listing.models, modelName)) {
      throw await handleNotFound(handle)
    }
    const info = toModelInfo(provider, { ...listed, name: modelName, isChat: true }, listing.baseUrl)
    const model = createAiSdkModel({
      info,
      provider,
      streamParts: await createPartStream(provider, modelName, listing.baseUrl, fetch),
      makePartStream: (ownFetch) => createPartStream(provider, modelName, listing.baseUrl, ownFetch),
      ...(options.firstDelayMs === undefined ? {} : { firstDelayMs: options.firstDelayMs }),
    })
    known.set(canonical, { model, isListed: listing.models !== undefined })
    if (listing.problem !== undefined) {
      logger.warn({ handle, problem: listing.problem }, 'model used without the list of its provider')
    }
    return model
  }

  async function handleNotFound(handle: string): Promise<DomainError> {
    const handles = (await listModels()).map((info) => info.handle)
    const more = handles.length > HANDLES_IN_ERROR ? ', …' : ''
    const choice = handles.slice(0, HANDLES_IN_ERROR).join(', ')
    return notFound(`NOT_FOUND: Handle ${handle} not found, must be one of [${choice}${more}]`)
  }

  return { listModels, listEmbeddingModels, getModel }
}

function serve(provider: Provider, options: ModelRegistryOptions): Served {
  const { firstByteTimeoutMs, idleTimeoutMs, logger, createFetch = createModelFetch } = options
  const fetch = createFetch({
    firstByteTimeoutMs: provider.isLocal
      ? Math.max(firstByteTimeoutMs, LOCAL_FIRST_BYTE_TIMEOUT_MS)
      : firstByteTimeoutMs,
    idleTimeoutMs,
  })
  const listing = cachedLoad({
    load: async () => {
      const result = await listProviderModels(provider, fetch)
      if (result.problem !== undefined) {
        logger.info({ provider: provider.name, problem: result.problem }, 'models of a provider could not be listed')
      }
      return result
    },
    isGood: ({ models }) => models !== undefined,
    keepMs: LISTING_KEEP_MS,
    keepBadMs: LISTING_RETRY_MS,
  })
  return { provider, fetch, listing }
}

function splitHandle(handle: string): { providerName: string; modelName: string } {
  const slash = handle.indexOf('/')
  if (slash < 1 || slash === handle.length - 1) {
    throw invalidArgument(`INVALID_ARGUMENT: model handle '${handle}' must be written as provider/model.`)
  }
  return { providerName: handle.slice(0, slash), modelName: handle.slice(slash + 1) }
}

/** V1 calls OpenAI's models `openai-proxy/…` where a base URL is set; agents that come from it still say so. */
const isNamed = (provider: Provider, name: string): boolean =>
  provider.name === name || (name === 'openai-proxy' && provider.name === 'openai' && provider.hasOwnUrl)

function findListed(models: ListedModel[], name: string): ListedModel | undefined {
  // Ollama's tag, OpenRouter's variant (`:free`)
  const names = [name, `${name}:latest`, name.replace(/:[a-z]+$/, '')]
  for (const candidate of names) {
    const listed = models.find((model) => model.name === candidate)
    if (listed !== undefined) return listed
  }
  return undefined
}

/** Vendors list dated names and also take shorter ones: `claude-sonnet-4-5` for `claude-sonnet-4-5-20250929`. */
const isAlias = (models: ListedModel[], name: string): boolean =>
  /-(latest|0)$/.test(name) || models.some((model) => model.name.startsWith(`${name}-20`))

function toModelInfo(provider: Provider, listed: ListedModel, endpoint: string): ModelInfo {
  const catalog = findInCatalog(listed.name, provider.isLocal === true || isOfOperator(provider))
  return {
    handle: `${provider.name}/${listed.name}`,
    name: listed.name,
    displayName: listed.displayName ?? listed.name,
    providerName: provider.name,
    providerType: provider.providerType,
    endpointType: provider.endpointType,
    endpoint: withoutCredentials(endpoint),
    contextWindow: listed.contextWindow ?? catalog.contextWindow,
    maxOutputTokens: listed.maxOutputTokens ?? catalog.maxOutputTokens,
    hasVision: listed.hasVision ?? catalog.hasVision,
    hasReasoning: listed.hasReasoning ?? catalog.hasReasoning,
  }
}

const isOfOperator = (provider: Provider): boolean => provider.kind === 'openai-compatible' && provider.hasOwnUrl

const hasDimensions = (model: ListedModel): boolean => model.dimensions !== undefined

function toEmbeddingInfo(provider: Provider, model: ListedModel, endpoint: string): EmbeddingModelInfo {
  return {
    handle: `${provider.name}/${model.name}`,
    name: model.name,
    displayName: model.displayName ?? model.name,
    providerName: provider.name,
    providerType: provider.providerType,
    endpointType: provider.endpointType,
    endpoint: withoutCredentials(endpoint),
    dimensions: model.dimensions ?? 0,
  }
}

/** Endpoints are shown to clients; a password in an address is not for them. */
const withoutCredentials = (url: string): string => url.replace(/(:\/\/)[^/@]*@/, '$1')
