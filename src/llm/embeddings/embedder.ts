/** Turns texts into unit vectors. */
export interface Embedder extends AsyncDisposable {
  /** The model's handle, such as `perdure/all-MiniLM-L6-v2`; vectors of two handles cannot be compared. */
  readonly handle: string
  readonly dimensions: number
  /** Longest text that is read, in characters (approximately); the rest is not seen. */
  readonly maxCharacters: number
  /**
   * A vector of unit length for each text, in their order. Those of one call may be views of one buffer. Throws EmbeddingError,
   * and the reason of the signal once it is aborted.
   */
  embed(texts: readonly string[], signal?: AbortSignal): Promise<Float32Array[]>
}

/**
 * `unavailable`: nothing is wrong with the request; later it can succeed (overload, no connection, a model that is not installed).
 * `failed`: the embedder failed at this request (500, a time-out); others may succeed.
 * `refused`: the same request will fail again until somebody changes something: a wrong key, a model that is not there, an answer that is none.
 */
export type EmbeddingErrorKind = 'unavailable' | 'failed' | 'refused'

/** Why there are no vectors, and what to do; never with a key in it. */
export class EmbeddingError extends Error {
  readonly kind: EmbeddingErrorKind
  /** How long (ms) the provider wants to be left alone. */
  readonly retryAfterMs: number | undefined

  constructor(kind: EmbeddingErrorKind, message: string, options: { retryAfterMs?: number; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'EmbeddingError'
    this.kind = kind
    this.retryAfterMs = options.retryAfterMs
  }
}
