import { createHash } from 'node:crypto'
import type { EmbedderRegistry } from '#llm/embeddings/create-embedder-registry.ts'
import { errorMessage } from '#platform/errors.ts'
import type { Logger } from '#platform/logger.ts'
import type { Db } from '#store/db.ts'
import { type EmbeddingModelRow, listLiveEmbeddingModels } from '#store/embeddings/embedding-models.ts'
import { findNearest, type NearRow, type QueryVector, type VectorScope } from '#store/embeddings/nearest.ts'
import { hasVectorIndex } from '#store/embeddings/vector-index.ts'

/** A query that has no vector after this time (ms) is searched by its words: a model that is being loaded, a provider that is slow. */
const TIMEOUT_MS = 2_000
const MODELS_KEPT_MS = 5_000
const INDEX_KEPT_MS = 60_000
const MAX_CACHED = 500
const WARN_EVERY_MS = 60_000

/** Finds texts by what they mean. */
export interface VectorSearch {
  /** False where embeddings are switched off. */
  readonly isEnabled: boolean
  /**
   * The query as the models see it that there are vectors of: one, and two while everything is made anew. None where they are switched off, or the embedder is down
   * or too slow.
   * @param forms of the query, whose vectors are added up
   */
  embed(forms: readonly string[]): Promise<QueryVector[]>
  /** What is nearest to a query, the nearest first. */
  findNearest(vectors: readonly QueryVector[], scope: VectorScope, limit: number): Promise<NearRow[]>
}

/** Where there are no vectors. */
export const NO_VECTORS: VectorSearch = { isEnabled: false, embed: async () => [], findNearest: async () => [] }

export interface VectorSearchOptions {
  db: Db
  logger: Logger
  embedders: Pick<EmbedderRegistry, 'defaultHandle' | 'getEmbedder'>
  timeoutMs?: number
}

/** Search by the vectors in the database. */
export class StoredVectorSearch implements VectorSearch {
  readonly #options: VectorSearchOptions
  readonly #vectors = new Map<string, Promise<Float32Array>>()
  readonly #indexes = new Map<number, { hasIndex: Promise<boolean>; at: number }>()
  #models: { rows: Promise<EmbeddingModelRow[]>; at: number } | undefined
  #warnedAt = 0

  constructor(options: VectorSearchOptions) {
    this.#options = options
  }

  get isEnabled(): boolean {
    return this.#options.embedders.defaultHandle !== undefined
  }

  async embed(forms: readonly string[]): Promise<QueryVector[]> {
    if (!this.isEnabled) return []
    const models = await this.#liveModels()
    const vectors = await Promise.all(models.map(({ handle }) => this.#vectorOf(handle, forms)))
    return models.flatMap((model, index) => {
      const vector = vectors[index]
      // another length: the embedder gives other vectors than before, and the server is about to appoint it anew
      return vector === undefined || vector.length !== model.dimensions ? [] : [{ model, vector }]
    })
  }

  async findNearest(vectors: readonly QueryVector[], scope: VectorScope, limit: number): Promise<NearRow[]> {
    const lists = await Promise.all(
      vectors.map(async ({ model, vector }) =>
        findNearest(this.#options.db, model, vector, scope, limit, await this.#hasIndex(model.dimensions)),
      ),
    )
    if (lists.length < 2) return lists[0] ?? []
    // cosines of two models are not quite the same thing; it lasts until everything is made anew
    return lists
      .flat()
      .sort((a, b) => a.distance - b.distance)
      .slice(0, limit)
  }

  /** A search goes on without a vector rather than to wait for one; the next search for the same finds it made. */
  async #vectorOf(handle: string, forms: readonly string[]): Promise<Float32Array | undefined> {
    const { logger, timeoutMs = TIMEOUT_MS } = this.#options
    const making = this.#cachedVector(handle, forms)
    let timer: NodeJS.Timeout | undefined
    try {
      const late = new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(new Error(`no vector within ${timeoutMs} ms`)), timeoutMs)
      })
      return await Promise.race([making, late])
    } catch (error) {
      if (Date.now() - this.#warnedAt >= WARN_EVERY_MS) {
        this.#warnedAt = Date.now()
        logger.warn({ handle, error: errorMessage(error) }, 'a search goes by words alone')
      }
      return undefined
    } finally {
      clearTimeout(timer)
    }
  }

  #cachedVector(handle: string, forms: readonly string[]): Promise<Float32Array> {
    // a query can be as long as a request
    const key = createHash('sha256')
      .update(JSON.stringify([handle, ...forms]))
      .digest('base64')
    const cached = this.#vectors.get(key)
    if (cached !== undefined) return cached
    const making = this.#makeVector(handle, forms)
    this.#vectors.set(key, making)
    making.catch(() => this.#vectors.delete(key))
    const [oldest] = this.#vectors.keys()
    if (this.#vectors.size > MAX_CACHED && oldest !== undefined) this.#vectors.delete(oldest)
    return making
  }

  async #makeVector(handle: string, forms: readonly string[]): Promise<Float32Array> {
    const embedder = await this.#options.embedders.getEmbedder(handle)
    const vectors = await embedder.embed(forms.map((form) => form.slice(0, embedder.maxCharacters)))
    const sum = new Float32Array(embedder.dimensions)
    for (const vector of vectors)
      for (let index = 0; index < sum.length; index += 1) sum[index] = at(sum, index) + at(vector, index)
    return sum
  }

  #liveModels(): Promise<EmbeddingModelRow[]> {
    if (this.#models === undefined || Date.now() - this.#models.at > MODELS_KEPT_MS) {
      const rows = listLiveEmbeddingModels(this.#options.db)
      this.#models = { rows, at: Date.now() }
      rows.catch(() => {
        this.#models = undefined
      })
    }
    return this.#models.rows
  }

  #hasIndex(dimensions: number): Promise<boolean> {
    const known = this.#indexes.get(dimensions)
    if (known !== undefined && Date.now() - known.at <= INDEX_KEPT_MS) return known.hasIndex
    const hasIndex = hasVectorIndex(this.#options.db, dimensions)
    this.#indexes.set(dimensions, { hasIndex, at: Date.now() })
    hasIndex.catch(() => this.#indexes.delete(dimensions))
    return hasIndex
  }
}

const at = (vector: Float32Array, index: number): number => vector[index] ?? 0
