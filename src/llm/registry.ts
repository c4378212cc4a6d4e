import { DomainError, errorMessage, invalidArgument, notFound } from '#platform/errors.ts'
import type { Logger } from '#platform/logger.ts'
import { createAiSdkModel } from './ai-sdk-model.ts'
import { type CachedLoad, cachedLoad } from './cached-load.ts'
import { findInCatalog } from './catalog.ts'
import { createDemoModel } from './demo-model.ts'
import { LOCAL_EMBEDDING } from './embeddings/local-embedding.ts'
import { OPENAI_EMBEDDINGS } from './embeddings/openai-embeddings.ts'
import { createModelFetch, type ModelFetch, type ModelFetchOptions } from './fetch.ts'
import { createPartStream } from './language-model.ts'
import { type ListedModel, type Listing, listProviderModels } from './list-models.ts'
import type { EmbeddingModelInfo, Model, ModelInfo, ModelRegistry } from './model.ts'
import { type Provider, type ProviderInput, toProviders } from './provider-table.ts'
import { toBroughtProvider } from './provider-types.ts'
import { type TenantProvider, TenantProviders } from './tenant-providers.ts'

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
  /** Reads the providers that an organisation has brought; without it there are none. */
  loadTenantProviders?: (organizationId: string) => Promise<TenantProvider[]>
  /** True where those may be on private addresses. */
  allowsPrivate?: boolean
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
/** Models of one provider that are kept ready. */
const MAX_KNOWN_MODELS = 1_000

interface Served {
  provider: Provider
  fetch: ModelFetch
  listing: CachedLoad<Listing>
  /** Models that were made, by name. */
  known: Map<string, KnownModel>
  isByok: boolean
}

interface KnownModel {
  model: Model
  /** Made with what the provider's own list says; otherwise it is made anew once there is a list. */
  isListed: boolean
}

/** What `createModelRegistry` gives beside the contract: what the providers that tenants bring need. */
export interface ProviderDesk {
  /** True for a provider of the server's own configuration: a tenant's cannot have its name. */
  isConfigured(name: string): boolean
  /** Asks a provider that is not stored for its models. Never throws. */
  tryProvider(provider: Provider): Promise<Listing>
  /** After a change of an organisation's providers on this replica. */
  forgetProviders(organizationId: string): void
}

/**
 * The models of all configured providers, of those that organisations bring, and `perdure/demo`. Nothing is asked of a provider
 * before it is needed.
 */
export function createModelRegistry(options: ModelRegistryOptions): ModelRegistry & ProviderDesk {
  const { logger } = options
  const configured = toProviders(options.providers, options.openaiCompatible).map((provider) =>
    serve(provider, options),
  )
  const demo = createDemoModel()
  const tenants = new TenantProviders<Served>(options.loadTenantProviders ?? (async () => []), (provider) =>
    serveTenant(provider, options),
  )

  /** The server's own come first: a name that both have is the server's. */
  async function servedFor(organizationId: string | null): Promise<Served[]> {
    if (organizationId === null) return configured
    const brought = await tenants.list(organizationId)
    return [...configured, ...brought.filter(({ provider }) => !isConfigured(provider.name))]
  }

  function isConfigured(name: string): boolean {
    return name === demo.info.providerName || configured.some(({ provider }) => isNamed(provider, name))
  }

  async function listModels(organizationId: string | null): Promise<ModelInfo[]> {
    const served = await servedFor(organizationId)
    const lists = await Promise.all(
      served.map(async ({ provider, listing, isByok }) => {
        const { models, baseUrl } = await listing.get()
        return (models ?? [])
          .filter((model) => model.isChat)
          .map((model) => ({ ...toModelInfo(provider, model, baseUrl), isByok }))
      }),
    )
    return [...lists.flat(), demo.info]
  }

  async function listEmbeddingModels(organizationId: string | null): Promise<EmbeddingModelInfo[]> {
    const served = await servedFor(organizationId)
    const lists = await Promise.all(
      served.map(async ({ provider, listing, isByok }) => {
        if (provider.kind === 'openai') {
          return OPENAI_EMBEDDINGS.map((model) => ({ ...toEmbeddingInfo(provider, model, provider.baseUrl), isByok }))
        }
        const { models, baseUrl } = await listing.get()
        return (models ?? [])
          .filter(hasDimensions)
          .map((model) => ({ ...toEmbeddingInfo(provider, model, baseUrl), isByok }))
      }),
    )
    return [...lists.flat(), LOCAL_EMBEDDING]
  }

  /** Providers of the organisation are read only where the name is none of the server's. */
  async function findServed(name: string, organizationId: string | null): Promise<Served | undefined> {
    const own = configured.find(({ provider }) => isNamed(provider, name))
    if (own !== undefined || organizationId === null) return own
    return (await tenants.list(organizationId)).find(({ provider }) => provider.name === name)
  }

  async function getModel(handle: string, organizationId: string | null): Promise<Model> {
    const { providerName, modelName } = splitHandle(handle)
    if (handle === demo.info.handle) return demo
    const entry = await findServed(providerName, organizationId)
    if (entry === undefined) throw await handleNotFound(handle, organizationId)
    const found = entry.known.get(modelName)
    if (found?.isListed) return found.model
    const { provider, fetch } = entry
    // a provider that hangs must not delay the turns of a model that was used before
    const listing = found === undefined ? await entry.listing.get() : entry.listing.peek()
    if (found !== undefined && listing?.models === undefined) return found.model
    if (listing === undefined) throw new DomainError('internal', `No list of ${provider.name} was loaded.`)
    const listed = listing.models && findListed(listing.models, modelName)
    if (listing.models !== undefined && listed === undefined && !isAlias(listing.models, modelName)) {
      throw await handleNotFound(handle, organizationId)
    }
    const info = {
      ...toModelInfo(provider, { ...listed, name: modelName, isChat: true }, listing.baseUrl),
      isByok: entry.isByok,
    }
    const model = createAiSdkModel({
      info,
      provider,
      streamParts: await createPartStream(provider, modelName, listing.baseUrl, fetch),
      makePartStream: (ownFetch) => createPartStream(provider, modelName, listing.baseUrl, ownFetch),
      ...(options.firstDelayMs === undefined ? {} : { firstDelayMs: options.firstDelayMs }),
    })
    // names come from clients, and a provider without a list takes any
    if (entry.known.size >= MAX_KNOWN_MODELS) entry.known.clear()
    entry.known.set(modelName, { model, isListed: listing.models !== undefined })
    if (listing.problem !== undefined) {
      logger.warn({ handle, problem: listing.problem }, 'model used without the list of its provider')
    }
    return model
  }

  async function handleNotFound(handle: string, organizationId: string | null): Promise<DomainError> {
    const handles = (await listModels(organizationId)).map((info) => info.handle)
    const more = handles.length > HANDLES_IN_ERROR ? ', …' : ''
    const choice = handles.slice(0, HANDLES_IN_ERROR).join(', ')
    return notFound(`NOT_FOUND: Handle ${handle} not found, must be one of [${choice}${more}]`)
  }

  return {
    listModels,
    listEmbeddingModels,
    getModel,
    isConfigured,
    tryProvider: (provider) => listProviderModels(provider, fetchOf(provider, options, true)),
    forgetProviders: (organizationId) => tenants.forget(organizationId),
  }
}

/** Undefined for one that cannot be called, which a listing must survive. */
function serveTenant(stored: TenantProvider, options: ModelRegistryOptions): Served | undefined {
  try {
    const provider = toBroughtProvider({ ...stored, apiKey: stored.openKey() })
    return serve(provider, options, true)
  } catch (error) {
    options.logger.warn({ provider_id: stored.id, error: errorMessage(error) }, "a tenant's provider cannot be used")
    return undefined
  }
}

function fetchOf(provider: Provider, options: ModelRegistryOptions, isByok: boolean): ModelFetch {
  const { firstByteTimeoutMs, idleTimeoutMs, createFetch = createModelFetch } = options
  return createFetch({
    firstByteTimeoutMs: provider.isLocal
      ? Math.max(firstByteTimeoutMs, LOCAL_FIRST_BYTE_TIMEOUT_MS)
      : firstByteTimeoutMs,
    idleTimeoutMs,
    isPublicOnly: isByok && options.allowsPrivate !== true,
  })
}

function serve(provider: Provider, options: ModelRegistryOptions, isByok = false): Served {
  const { logger } = options
  const fetch = fetchOf(provider, options, isByok)
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
  return { provider, fetch, listing, known: new Map(), isByok }
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
