import type { EmbedderRegistry } from '#llm/embeddings/create-embedder-registry.ts'
import { type Embedder, EmbeddingError } from '#llm/embeddings/embedder.ts'
import { errorMessage } from '#platform/errors.ts'
import type { Logger } from '#platform/logger.ts'
import type { Db } from '#store/db.ts'
import { continueBackfill } from '#store/embeddings/continue-backfill.ts'
import {
  appointEmbeddingModel,
  dismissEmbeddingModel,
  type EmbeddingModelRow,
  listLiveEmbeddingModels,
  retireEmbeddingModels,
} from '#store/embeddings/embedding-models.ts'
import {
  type ClaimedText,
  claimTextsToEmbed,
  countEmbeddingBacklog,
  dropTextsToEmbed,
  releaseTextsToEmbed,
  storeEmbeddings,
} from '#store/embeddings/embedding-queue.ts'
import { readTextsToEmbed, type TextToEmbed } from '#store/embeddings/read-texts.ts'
import { vectorColumn } from '#store/embeddings/vector-column.ts'
import { ensureVectorIndex } from '#store/embeddings/vector-index.ts'
import { Ticker } from './ticker.ts'

const TICK_MS = 1_000
/** Texts of one call; with local vectors a fraction of a second. */
const BATCH_SIZE = 64
/** Longer than a provider is asked again for; a text whose process dies waits this long. */
const LEASE_MS = 120_000
/** Texts of before that are queued at once, when fewer than that wait. */
const BACKFILL_SIZE = 500
const TIDY_EVERY_MS = 60_000
/** While the embedder is down: pauses from the first to the second, and how often the log says so again. */
const MIN_PAUSE_MS = 1_000
const MAX_PAUSE_MS = 60_000
const REMIND_EVERY_MS = 600_000
/** A text that the embedder refuses, or fails at, although it takes others is tried this often, with longer and longer pauses, and left to search by words. */
export const MAX_EMBEDDING_ATTEMPTS = 5
const REFUSED_PAUSE_MS = 60_000
/** A text that no embedder can refuse: tells a bad text from a bad key. */
const CANARY = 'hello'

export interface TextEmbedderOptions {
  db: Db
  logger: Logger
  embedders: Pick<EmbedderRegistry, 'defaultHandle' | 'getEmbedder'>
  leaseMs?: number
  /** Of the pauses while the embedder is down. */
  minPauseMs?: number
}

/**
 * Makes the vectors of what was written, from every replica. Rows are found by their words meanwhile, and stay in the queue for as long as the embedder is
 * down. Another model than before makes everything anew while searches go on with both.
 */
export class TextEmbedder implements AsyncDisposable {
  readonly #options: TextEmbedderOptions
  readonly #ticker: Ticker
  readonly #stop = new AbortController()
  #isAppointed = false
  #tidiedAt = 0
  #outage: { pauseMs: number; until: number; toldAt: number; reason: string } | undefined

  constructor(options: TextEmbedderOptions) {
    this.#options = options
    const work = () => this.embedDue()
    this.#ticker = new Ticker({ logger: options.logger, name: 'embedding texts', everyMs: TICK_MS, work })
  }

  /** Why the configured model makes no vectors, where it could not even be asked how long they are; so far nothing is queued for it. */
  get problem(): string | undefined {
    return this.#isAppointed ? undefined : this.#outage?.reason
  }

  start(): void {
    this.#ticker.start()
  }

  /** Makes vectors until nothing is due. */
  async embedDue(): Promise<void> {
    const { db } = this.#options
    if (this.#outage !== undefined && Date.now() < this.#outage.until) return
    let model = await this.#currentModel()
    while (model !== undefined && !this.#stop.signal.aborted) {
      const claimed = await claimTextsToEmbed(db, BATCH_SIZE, this.#options.leaseMs ?? LEASE_MS)
      if (claimed.length > 0 && !(await this.#embed(model, claimed))) return
      const isFull = model.is_filling && (await countEmbeddingBacklog(db, BACKFILL_SIZE)) === BACKFILL_SIZE
      const isFilling = model.is_filling && !isFull && (await continueBackfill(db, BACKFILL_SIZE))
      if (claimed.length === 0 && !isFilling) break
      // another replica may have appointed another one
      model = await this.#currentModel()
    }
    if (model !== undefined && Date.now() - this.#tidiedAt >= TIDY_EVERY_MS) await this.#tidy(model)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new Stopped())
    await this.#ticker[Symbol.asyncDispose]()
  }

  /** The one that was configured last, by whichever replica. Undefined where vectors are switched off, or the model cannot be asked yet. */
  async #currentModel(): Promise<EmbeddingModelRow | undefined> {
    const { db, embedders } = this.#options
    const handle = embedders.defaultHandle
    if (handle === undefined) {
      if (!this.#isAppointed) await dismissEmbeddingModel(db)
      this.#isAppointed = true
      return undefined
    }
    try {
      if (!this.#isAppointed) {
        const { dimensions } = await embedders.getEmbedder(handle)
        vectorColumn(dimensions)
        const isNew = await db.transaction((tx) => appointEmbeddingModel(tx, { handle, dimensions }))
        if (isNew)
          this.#options.logger.info({ handle, dimensions }, 'embedding model: what is stored is embedded with it')
        this.#isAppointed = true
        this.#recover()
      }
    } catch (error) {
      this.#pause(error)
      return undefined
    }
    const [model] = await listLiveEmbeddingModels(db)
    return model?.is_current === true ? model : undefined
  }

  /** False where the embedder is down. */
  async #embed(model: EmbeddingModelRow, claimed: readonly ClaimedText[]): Promise<boolean> {
    const { db, embedders } = this.#options
    try {
      const embedder = await embedders.getEmbedder(model.handle)
      const texts = await readTextsToEmbed(db, claimed, embedder.maxCharacters)
      const wanted = texts.filter(({ text }) => text.trim() !== '')
      const ids = new Set(wanted.map(({ source_id }) => source_id))
      const others = claimed.filter(({ source_id }) => !ids.has(source_id))
      if (others.length > 0) await dropTextsToEmbed(db, others)
      await this.#embedTexts(model, embedder, wanted)
    } catch (error) {
      const reason = error instanceof Stopped ? null : errorMessage(error)
      await releaseTextsToEmbed(db, claimed, { pauseMs: 0, error: reason, isAttempt: false })
      if (error instanceof Stopped) return false
      this.#pause(error)
      return false
    }
    this.#recover()
    return true
  }

  async #embedTexts(model: EmbeddingModelRow, embedder: Embedder, texts: readonly TextToEmbed[]): Promise<void> {
    const { db } = this.#options
    try {
      const vectors = await embedder.embed(
        texts.map(({ text }) => text),
        this.#stop.signal,
      )
      if (texts.length > 0 && !(await storeEmbeddings(db, model, pair(texts, vectors)))) {
        await releaseTextsToEmbed(db, texts, { pauseMs: 0, error: null, isAttempt: false })
      }
    } catch (error) {
      if (!(error instanceof EmbeddingError) || error.kind === 'unavailable') throw error
      // when this throws too, it is the embedder
      await embedder.embed([CANARY], this.#stop.signal)
      if (texts.length > 1) for (const text of texts) await this.#embedTexts(model, embedder, [text])
      else await this.#giveUpFor(texts, error.message)
    }
  }

  async #giveUpFor(texts: readonly TextToEmbed[], error: string): Promise<void> {
    const { db, logger } = this.#options
    const attempts = texts[0]?.attempts ?? 1
    const pauseMs = attempts >= MAX_EMBEDDING_ATTEMPTS ? 30 * 24 * 3_600_000 : REFUSED_PAUSE_MS * 4 ** (attempts - 1)
    await releaseTextsToEmbed(db, texts, { pauseMs, error, isAttempt: true })
    for (const { source_id } of texts) logger.warn({ source_id, attempts, error }, 'text not embedded; found by words')
  }

  #pause(error: unknown): void {
    const { logger, minPauseMs = MIN_PAUSE_MS } = this.#options
    const asked = error instanceof EmbeddingError ? (error.retryAfterMs ?? 0) : 0
    const pauseMs = Math.min(Math.max((this.#outage?.pauseMs ?? minPauseMs / 2) * 2, asked), MAX_PAUSE_MS)
    const toldAt = this.#outage?.toldAt ?? 0
    const isToBeTold = Date.now() - toldAt >= REMIND_EVERY_MS
    if (isToBeTold) {
      logger.warn(
        { error: errorMessage(error) },
        'no embeddings are made; what is written waits, and is found by its words',
      )
    }
    const until = Date.now() + pauseMs
    this.#outage = { pauseMs, until, toldAt: isToBeTold ? Date.now() : toldAt, reason: errorMessage(error) }
  }

  #recover(): void {
    if (this.#outage !== undefined) this.#options.logger.info('embeddings are made again')
    this.#outage = undefined
  }

  async #tidy(model: EmbeddingModelRow): Promise<void> {
    const { db, logger } = this.#options
    if (await retireEmbeddingModels(db, MAX_EMBEDDING_ATTEMPTS)) {
      logger.info({ handle: model.handle }, 'everything is embedded with the new model')
    }
    if (await ensureVectorIndex(db, model)) logger.info({ dimensions: model.dimensions }, 'index of vectors made')
    this.#tidiedAt = Date.now()
  }
}

/** This process ends. */
class Stopped extends Error {}

const pair = (texts: readonly TextToEmbed[], vectors: readonly Float32Array[]) =>
  texts.map((text, index) => ({ ...text, vector: vectors[index] as Float32Array }))
