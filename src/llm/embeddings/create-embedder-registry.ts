import { createModelFetch, type ModelFetch, type ModelFetchOptions } from '#llm/fetch.ts'
import { listProviderModels } from '#llm/list-models.ts'
import { type Provider, type ProviderInput, toProviders } from '#llm/provider-table.ts'
import { invalidArgument, notFound } from '#platform/errors.ts'
import type { Logger } from '#platform/logger.ts'
import { createRemoteEmbedder, findDimensions } from './create-remote-embedder.ts'
import { type Embedder, EmbeddingError } from './embedder.ts'
import type { EmbeddingApiKind } from './embedding-apis.ts'
import { LOCAL_EMBEDDING } from './local-embedding.ts'
import { openLocalEmbedder } from './open-local-embedder.ts'
import { OPENAI_EMBEDDINGS } from './openai-embeddings.ts'

export interface EmbedderRegistryOptions {
  /** False: no vectors are made. */
  isEnabled: boolean
  /** Undefined: the local model. */
  defaultHandle: string | undefined
  /** Providers of `provider-table.ts` for which the operator set a key or an address. */
  providers: readonly ProviderInput[]
  /** Further servers with OpenAI's API. */
  openaiCompatible: readonly (ProviderInput & { baseUrl: string })[]
  /** Where the local model is kept; a folder of its own. */
  cacheDir: string | undefined
  logger: Logger
  firstByteTimeoutMs: number
  idleTimeoutMs: number
  /** Makes the `fetch` of a provider's calls, for tests. */
  createFetch?: (options: ModelFetchOptions) => ModelFetch
  /** Backoff (ms) before the first retry, for tests. */
  firstDelayMs?: number
}

/** The embedders of all configured providers, and the local one. Nothing is loaded or asked before it is needed. */
export interface EmbedderRegistry extends AsyncDisposable {
  /** Undefined where embeddings are switched off. */
  readonly defaultHandle: string | undefined
  /**
   * The embedder of a handle; it belongs to the registry, and is not to be disposed of. Throws DomainError (invalid_argument for what is no handle,
   * not_found for a provider that is not configured), and EmbeddingError where a provider must be asked first for what is not known of its
   * model; the next call asks again.
   */
  getEmbedder(handle: string): Promise<Embedder>
}

/** Loading a model from disk into memory takes a while, on the operator's own machines. */
const LOCAL_FIRST_BYTE_TIMEOUT_MS = 120_000
/** Handles come from clients. */
const MAX_KNOWN = 200

export function createEmbedderRegistry(options: EmbedderRegistryOptions): EmbedderRegistry {
  const { isEnabled, cacheDir, logger } = options
  const providers = toProviders(options.providers, options.openaiCompatible)
  const local = openLocalEmbedder({ cacheDir, logger })
  const known = new Map<string, Promise<Embedder>>()

  async function open(handle: string): Promise<Embedder> {
    const { provider, model } = findProvider(handle)
    return openRemote(handle, provider, model, options)
  }

  function findProvider(handle: string): { provider: Provider; model: string } {
    const slash = handle.indexOf('/')
    if (slash < 1 || slash === handle.length - 1) {
      throw invalidArgument(
        `INVALID_ARGUMENT: embedding handle '${handle}' must be written as provider/model, such as ${LOCAL_EMBEDDING.handle}.`,
      )
    }
    const name = handle.slice(0, slash)
    const provider = providers.find((candidate) => candidate.name === name)
    if (provider !== undefined && provider.kind !== 'anthropic') return { provider, model: handle.slice(slash + 1) }
    const names = providers.filter(({ kind }) => kind !== 'anthropic').map((candidate) => `${candidate.name}/…`)
    throw notFound(
      `NOT_FOUND: Handle ${handle} not found, must be one of [${[...names, LOCAL_EMBEDDING.handle].join(', ')}]. A provider is there when its key or address is set (docs/configuration.md).`,
    )
  }

  return {
    defaultHandle: isEnabled ? (options.defaultHandle ?? LOCAL_EMBEDDING.handle) : undefined,
    async getEmbedder(handle) {
      if (!isEnabled) {
        throw new EmbeddingError('unavailable', 'Embeddings are switched off; PERDURE_EMBEDDINGS=on switches them on.')
      }
      if (handle === local.handle) return local
      const found = known.get(handle)
      if (found !== undefined) return found
      if (known.size >= MAX_KNOWN) known.clear()
      const opening = open(handle)
      known.set(handle, opening)
      opening.catch(() => known.delete(handle))
      return opening
    },
    [Symbol.asyncDispose]: () => local[Symbol.asyncDispose](),
  }
}

/** Throws EmbeddingError. */
async function openRemote(
  handle: string,
  provider: Provider,
  model: string,
  options: EmbedderRegistryOptions,
): Promise<Embedder> {
  const { firstByteTimeoutMs, idleTimeoutMs, firstDelayMs, createFetch = createModelFetch } = options
  const fetch = createFetch({
    firstByteTimeoutMs: provider.isLocal
      ? Math.max(firstByteTimeoutMs, LOCAL_FIRST_BYTE_TIMEOUT_MS)
      : firstByteTimeoutMs,
    idleTimeoutMs,
  })
  const { baseUrl, dimensions } = await findDetails(provider, model, fetch)
  const target = {
    handle,
    kind: kindOf(provider),
    providerName: provider.displayName,
    baseUrl,
    apiKey: provider.apiKey,
    model,
    fetch,
    ...(firstDelayMs === undefined ? {} : { firstDelayMs }),
  }
  return createRemoteEmbedder({ ...target, dimensions: dimensions ?? (await findDimensions(target)) })
}

/** OpenAI's own models are known; of others, the list says at which form of the address they are, and some lists how long vectors are. */
async function findDetails(
  provider: Provider,
  model: string,
  fetch: ModelFetch,
): Promise<{ baseUrl: string; dimensions: number | undefined }> {
  const known = provider.kind === 'openai' ? OPENAI_EMBEDDINGS.find(({ name }) => name === model) : undefined
  if (known !== undefined && !provider.hasOwnUrl) return { baseUrl: provider.baseUrl, dimensions: known.dimensions }
  const { baseUrl, models = [] } = await listProviderModels(provider, fetch)
  const listed = models.find(({ name }) => name === model || name === `${model}:latest`)
  return { baseUrl, dimensions: known?.dimensions ?? listed?.dimensions }
}

function kindOf(provider: Provider): EmbeddingApiKind {
  if (provider.listsLikeOllama) return 'ollama'
  return provider.kind === 'openai' || provider.kind === 'google' ? provider.kind : 'openai-compatible'
}
