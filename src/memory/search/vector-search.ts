import type { EmbedderRegistry } from '#llm/embeddings/create-embedder-registry.ts'
import { errorMessage } from '#platform/errors.ts'
import type { Logger } from '#platform/logger.ts'
import type { Db } from '#store/db.ts'
import { type EmbeddingModelRow, listLiveEmbeddingModels } from '#store/embeddings/embedding-models.ts'
import { findNearest, type VectorScope } from '#store/embeddings/nearest.ts'
import { hasVectorIndex } from '#store/embeddings/vector-index.ts'

/** A query that has no vector after this time (ms) is searched by its words: a model that is being loaded, a provider that is slow. */
const TIMEOUT_MS = 2_000
const MODELS_KEPT_MS = 5_000
const INDEX_KEPT_MS = 60_000
const MAX_CACHED = 500
const WARN_EVERY_MS = 60_000

export interface VectorHit {
  id: string
  /** Cosine of query and text, -1 to 1. */
  similarity: number
}

/** Finds texts by what they mean. */
export interface VectorSearch {
  /** Undefined where no vector of the query can be had: switched off, or the embedder is down or too slow. The nearest first. */
  search(query: string, scope: VectorScope, limit: number): Promise<VectorHit[] | undefined>
}

/** What there is where vectors are switched off for good: tests, and tools that run without a server. */
export const NO_VECTORS: VectorSearch = { search: async () => undefined }

export interface VectorSearchOptions {
  db: Db
  logger: Logger
  embedders: Pick<EmbedderRegistry, 'defaultHandle' | 'getEmbedder'>
  timeoutMs?: number
}

/** Search by the vectors in the database, with the models that they were made with: one, and two while everything is made anew. */
export class StoredVectorSearch implements VectorSearch {
  readonly #options: VectorSearchOptions
  readonly #vectors = new Map<string, Promise<Float32Array>>()
  readonly #indexes = new Map<number, { hasIndex: Promise<boolean>; at: number }>()
  #models: { rows: Promise<EmbeddingModelRow[]>; at: number } | undefined
  #warnedAt = 0

  constructor(options: VectorSearchOptions) {
    this.#options = options
  }

  async search(query: string, scope: VectorScope, limit: number): Promise<VectorHit[] | undefined> {
    if (this.#options.embedders.defaultHandle === undefined) return undefined
    const models = await this.#liveModels()
    const found = await Promise.all(models.map((model) => this.#searchWith(model, query, scope, limit)))
    const lists = found.filter((hits) => hits !== undefined)
    return lists.length === 0 ? undefined : mergeLists(lists).slice(0, limit)
  }

  async #searchWith(
    model: EmbeddingModelRow,
    query: string,
    scope: VectorScope,
    limit: number,
  ): Promise<VectorHit[] | undefined> {
    const { db } = this.#options
    const vector = await this.#vectorOf(model.handle, query)
    if (vector === undefined) return undefined
    const rows = await findNearest(db, model, vector, scope, limit, await this.#hasIndex(model.dimensions))
    return rows.map(({ id, distance }) => ({ id, similarity: 1 - distance }))
  }

  /** A search goes on without a vector rather than to wait for one; the next search for the same finds it made. */
  async #vectorOf(handle: string, query: string): Promise<Float32Array | undefined> {
    const { logger, timeoutMs = TIMEOUT_MS } = this.#options
    const making = this.#cachedVector(handle, query)
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

  #cachedVector(handle: string, query: string): Promise<Float32Array> {
    const key = `${handle} ${query}`
    const cached = this.#vectors.get(key)
    if (cached !== undefined) return cached
    const making = this.#makeVector(handle, query)
    this.#vectors.set(key, making)
    making.catch(() => this.#vectors.delete(key))
    const [oldest] = this.#vectors.keys()
    if (this.#vectors.size > MAX_CACHED && oldest !== undefined) this.#vectors.delete(oldest)
    return making
  }

  async #makeVector(handle: string, query: string): Promise<Float32Array> {
    const embedder = await this.#options.embedders.getEmbedder(handle)
    const [vector] = await embedder.embed([query.slice(0, embedder.maxCharacters)])
    if (vector === undefined) throw new Error('the embedder gave no vector')
    return vector
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

/** Cosines of two models cannot be compared: those of the second are given the mean and the spread of the first. */
function mergeLists(lists: readonly VectorHit[][]): VectorHit[] {
  const filled = lists.filter((hits) => hits.length > 0)
  const [first = [], ...others] = filled
  if (others.length === 0) return first
  const aim = spreadOf(first)
  const brought = others.flatMap((hits) => {
    const { mean, deviation } = spreadOf(hits)
    return hits.map(({ id, similarity }) => ({
      id,
      similarity: aim.mean + ((similarity - mean) / deviation) * aim.deviation,
    }))
  })
  return [...first, ...brought].sort((a, b) => b.similarity - a.similarity)
}

function spreadOf(hits: readonly VectorHit[]): { mean: number; deviation: number } {
  const mean = hits.reduce((sum, hit) => sum + hit.similarity, 0) / hits.length
  const variance = hits.reduce((sum, hit) => sum + (hit.similarity - mean) ** 2, 0) / hits.length
  return { mean, deviation: Math.sqrt(variance) || 1 }
}
