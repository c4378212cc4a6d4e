import { Worker } from 'node:worker_threads'
import type { Logger } from '#platform/logger.ts'
import { type Embedder, EmbeddingError } from './embedder.ts'
import type { EmbeddingWorkerReply, EmbeddingWorkerRequest } from './embedding-worker.ts'
import { LOCAL_EMBEDDING, MAX_CHARACTERS } from './local-embedding.ts'
import { NativeGate } from './native-gate.ts'

export interface LocalEmbedderOptions {
  /** Where the model is kept once it is made of the weights (23 MB); undefined, or a folder that cannot be written to: it is made anew. */
  cacheDir: string | undefined
  logger: Logger
  /** The thread ends after this time (ms) without work. It takes 140 MB; malloc gives some of it back to the system then. */
  idleTimeoutMs?: number
}

const IDLE_TIMEOUT_MS = 5 * 60_000
/** How long a process that exits waits for the step that the thread is in; one takes some 50 ms. */
const EXIT_WAIT_MS = 2_000
/** Of the thread's JavaScript, which takes 60 MB. */
const MEMORY = { maxOldGenerationSizeMb: 512 }

/**
 * All-MiniLM-L6-v2 in a thread of its own: no key, no network, and the event loop goes on. Nothing is loaded before the first call.
 * The vectors of one call are views of one buffer.
 */
export function openLocalEmbedder(options: LocalEmbedderOptions): Embedder {
  return new LocalEmbedder(options)
}

interface Call {
  resolve: (vectors: Float32Array[]) => void
  reject: (error: unknown) => void
}

class LocalEmbedder implements Embedder {
  readonly handle = LOCAL_EMBEDDING.handle
  readonly dimensions = LOCAL_EMBEDDING.dimensions
  readonly maxCharacters = MAX_CHARACTERS
  readonly #options: LocalEmbedderOptions
  #thread: EmbeddingThread | undefined
  #idleTimer: NodeJS.Timeout | undefined
  #isClosed = false

  constructor(options: LocalEmbedderOptions) {
    this.#options = options
  }

  async embed(texts: readonly string[], signal?: AbortSignal): Promise<Float32Array[]> {
    if (this.#isClosed) throw new EmbeddingError('unavailable', 'The local embedding model was closed with the server.')
    signal?.throwIfAborted()
    if (texts.length === 0) return []
    clearTimeout(this.#idleTimer)
    if (this.#thread?.isOpen !== true) this.#thread = new EmbeddingThread(this.#options)
    const thread = this.#thread
    try {
      return await thread.embed(texts, signal)
    } finally {
      if (thread === this.#thread && thread.isIdle && !this.#isClosed) this.#endWhenIdle(thread)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#idleTimer)
    await this.#thread?.end()
  }

  #endWhenIdle(thread: EmbeddingThread): void {
    const { idleTimeoutMs = IDLE_TIMEOUT_MS } = this.#options
    clearTimeout(this.#idleTimer)
    this.#idleTimer = setTimeout(() => {
      this.#thread = undefined
      void thread.end()
    }, idleTimeoutMs)
    this.#idleTimer.unref()
  }
}

/** One life of the thread. After it has ended, calls fail, and another one is to be made. */
class EmbeddingThread {
  readonly #worker: Worker
  readonly #logger: Logger
  readonly #calls = new Map<number, Call>()
  readonly #ended: Promise<void>
  readonly #gate = new NativeGate()
  #lastId = 0
  #isOpen = true

  constructor({ cacheDir, logger }: LocalEmbedderOptions) {
    this.#logger = logger
    const file = new URL(`./embedding-worker${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url)
    this.#worker = new Worker(file, {
      workerData: { cacheDir, gate: this.#gate.memory },
      name: 'embeddings',
      resourceLimits: MEMORY,
    })
    this.#worker.on('message', (reply: EmbeddingWorkerReply) => this.#receive(reply))
    this.#worker.on('error', (error) => {
      logger.error({ err: error }, 'the thread of the local embedding model stopped')
      this.#fail(stopped(error.message))
    })
    const closeGate = () => this.#gate.close(EXIT_WAIT_MS)
    process.on('exit', closeGate)
    this.#ended = new Promise((resolve) => {
      this.#worker.on('exit', (code) => {
        process.off('exit', closeGate)
        this.#fail(stopped(`exit code ${code}`))
        resolve()
      })
    })
    // a process that has nothing else to do ends
    this.#worker.unref()
  }

  get isOpen(): boolean {
    return this.#isOpen
  }

  get isIdle(): boolean {
    return this.#calls.size === 0
  }

  embed(texts: readonly string[], signal: AbortSignal | undefined): Promise<Float32Array[]> {
    this.#lastId += 1
    const id = this.#lastId
    const { promise, resolve, reject } = Promise.withResolvers<Float32Array[]>()
    this.#calls.set(id, { resolve, reject })
    this.#worker.ref()
    const onAbort = () => {
      this.#send({ kind: 'cancel', id })
      this.#take(id)?.reject(signal?.reason)
    }
    signal?.addEventListener('abort', onAbort, { once: true })
    this.#send({ kind: 'embed', id, texts: texts.map((text) => text.slice(0, MAX_CHARACTERS)) })
    return promise.finally(() => signal?.removeEventListener('abort', onAbort))
  }

  /** Lets the thread free what is not JavaScript's; calls under way fail. */
  async end(): Promise<void> {
    this.#send({ kind: 'end' })
    this.#fail(new EmbeddingError('unavailable', 'The local embedding model was closed with the server.'))
    this.#worker.ref()
    await this.#ended
  }

  #receive(reply: EmbeddingWorkerReply): void {
    if (reply.kind === 'warning') this.#logger.warn(reply.message)
    else if (reply.kind === 'broken') this.#fail(new EmbeddingError(reply.error, reply.message))
    else if (reply.kind === 'failed') {
      this.#take(reply.id)?.reject(new EmbeddingError('failed', `The local embedding model failed: ${reply.message}`))
    } else this.#take(reply.id)?.resolve(toRows(reply.vectors, LOCAL_EMBEDDING.dimensions))
  }

  #send(request: EmbeddingWorkerRequest): void {
    this.#worker.postMessage(request)
  }

  #take(id: number): Call | undefined {
    const call = this.#calls.get(id)
    this.#calls.delete(id)
    if (this.#calls.size === 0) this.#worker.unref()
    return call
  }

  #fail(error: EmbeddingError): void {
    this.#isOpen = false
    for (const id of [...this.#calls.keys()]) this.#take(id)?.reject(error)
  }
}

const stopped = (why: string): EmbeddingError =>
  new EmbeddingError(
    'unavailable',
    `The thread of the local embedding model stopped (${why}). The next call starts another one.`,
  )

function toRows(vectors: Float32Array, dimensions: number): Float32Array[] {
  return Array.from({ length: vectors.length / dimensions }, (_, index) =>
    vectors.subarray(index * dimensions, (index + 1) * dimensions),
  )
}
