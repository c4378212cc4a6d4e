import { setTimeout as sleep } from 'node:timers/promises'
import { APICallError } from '@ai-sdk/provider'
import { type ModelFetch, readBody } from '#llm/fetch.ts'
import { ModelError } from '#llm/model.ts'
import { type ErrorSource, toModelError } from '#llm/model-errors.ts'
import { MAX_RETRIES, retryDelay } from '#llm/stream-with-retry.ts'
import { type Embedder, EmbeddingError } from './embedder.ts'
import { EMBEDDING_APIS, type EmbeddingApiKind, MAX_REQUEST_CHARACTERS } from './embedding-apis.ts'
import { readVectors } from './read-vectors.ts'

export interface RemoteEmbedderOptions {
  handle: string
  kind: EmbeddingApiKind
  /** As people read it, for errors. */
  providerName: string
  /** With its version segment. */
  baseUrl: string
  apiKey: string | undefined
  model: string
  dimensions: number
  /** From `createModelFetch`: it knows time-outs, and which addresses may be asked. */
  fetch: ModelFetch
  /** Backoff (ms) before the first retry, for tests. */
  firstDelayMs?: number
}

/** More is no answer to a hundred texts. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024
/** How often the texts of a request that is too long for the model are halved. */
const MAX_HALVINGS = 4

/** The model of a provider. Requests are repeated up to three times, with a backoff or when the provider says; never throws a key. */
export function createRemoteEmbedder(options: RemoteEmbedderOptions): Embedder {
  const { maxTexts, maxCharacters } = EMBEDDING_APIS[options.kind]
  return {
    handle: options.handle,
    dimensions: options.dimensions,
    maxCharacters,
    async embed(texts, signal) {
      const vectors: Float32Array[] = []
      for (const batch of toBatches(
        texts.map((text) => toReadable(text, maxCharacters)),
        maxTexts,
      )) {
        vectors.push(...(await embedBatch(options, batch, options.dimensions, signal)))
      }
      return vectors
    },
    async [Symbol.asyncDispose]() {},
  }
}

/** How long the vectors of a model are, which is found by asking for one. Throws EmbeddingError. */
export async function findDimensions(
  options: Omit<RemoteEmbedderOptions, 'dimensions'>,
  signal?: AbortSignal,
): Promise<number> {
  const [vector] = await embedBatch(options, ['How long are your vectors?'], undefined, signal)
  return vector?.length ?? 0
}

type Target = Omit<RemoteEmbedderOptions, 'dimensions'>

/** Cuts what would be cut there anyway. Providers refuse a text without a word, and some JSON with half a surrogate pair. */
function toReadable(text: string, maxCharacters: number): string {
  const readable = text.slice(0, maxCharacters).toWellFormed()
  return readable.trim() === '' ? '(empty)' : readable
}

function toBatches(texts: readonly string[], maxTexts: number): string[][] {
  const batches: string[][] = []
  let characters = 0
  for (const text of texts) {
    const last = batches.at(-1)
    characters += text.length
    if (last === undefined || last.length >= maxTexts || characters > MAX_REQUEST_CHARACTERS) {
      batches.push([text])
      characters = text.length
    } else last.push(text)
  }
  return batches
}

/** Texts that the model finds too long are shortened until it takes them: how many tokens they have is its secret. */
async function embedBatch(
  target: Target,
  texts: readonly string[],
  dimensions: number | undefined,
  signal: AbortSignal | undefined,
): Promise<Float32Array[]> {
  let limit = Math.max(...texts.map((text) => text.length))
  for (let halvings = 0; ; halvings += 1) {
    try {
      return await embedWithRetry(
        target,
        texts.map((text) => text.slice(0, limit).toWellFormed()),
        dimensions,
        signal,
      )
    } catch (error) {
      signal?.throwIfAborted()
      const isTooLong = error instanceof ModelError && error.kind === 'context_window_exceeded'
      if (!isTooLong || halvings === MAX_HALVINGS) throw toEmbeddingError(error, target)
      limit = Math.ceil(limit / 2)
    }
  }
}

async function embedWithRetry(
  target: Target,
  texts: readonly string[],
  dimensions: number | undefined,
  signal: AbortSignal | undefined,
): Promise<Float32Array[]> {
  for (let attempts = 1; ; attempts += 1) {
    signal?.throwIfAborted()
    try {
      return await ask(target, texts, dimensions, signal)
    } catch (cause) {
      signal?.throwIfAborted()
      const error = cause instanceof EmbeddingError ? cause : toModelError(cause, sourceOf(target))
      const delayMs =
        error instanceof EmbeddingError || attempts > MAX_RETRIES
          ? undefined
          : retryDelay(error, attempts, target.firstDelayMs)
      if (delayMs === undefined) throw error
      await sleep(delayMs, undefined, signal === undefined ? {} : { signal }).catch(() => signal?.throwIfAborted())
    }
  }
}

async function ask(
  target: Target,
  texts: readonly string[],
  dimensions: number | undefined,
  signal: AbortSignal | undefined,
): Promise<Float32Array[]> {
  const api = EMBEDDING_APIS[target.kind]
  const { url, headers, body } = api.buildRequest({ ...target, texts })
  const response = await target.fetch(url, {
    method: 'POST',
    headers: { accept: 'application/json', 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
    ...(signal === undefined ? {} : { signal }),
  })
  const text = await readText(response, target)
  if (response.status !== 200) {
    throw new APICallError({
      message: `status ${response.status}`,
      url,
      requestBodyValues: {},
      statusCode: response.status,
      responseHeaders: Object.fromEntries(response.headers),
      responseBody: text,
    })
  }
  try {
    const written = api.readVectors(JSON.parse(text))
    if (written === undefined) throw new Error('it sent no vectors')
    return readVectors(written, texts.length, dimensions)
  } catch (error) {
    const why = error instanceof SyntaxError ? 'it sent what is no JSON' : (error as Error).message
    throw badAnswer(target, why)
  }
}

async function readText(response: Response, target: Target): Promise<string> {
  const reader = readBody(response)
  const chunks: Uint8Array[] = []
  let sizeBytes = 0
  for (let pieces = await reader.read(); pieces !== undefined; pieces = await reader.read()) {
    for (const piece of pieces) {
      chunks.push(piece)
      sizeBytes += piece.length
    }
    if (sizeBytes > MAX_ANSWER_BYTES) {
      reader.cancel()
      throw badAnswer(target, `it sent more than ${MAX_ANSWER_BYTES / 1024 / 1024} MiB`)
    }
  }
  return Buffer.concat(chunks).toString('utf8')
}

function badAnswer({ handle, providerName, baseUrl }: Target, why: string): EmbeddingError {
  const host = URL.parse(baseUrl)?.host ?? 'its address'
  return new EmbeddingError(
    'refused',
    `${providerName} (${host}) gave no usable answer for ${handle}: ${why}. Is this an embedding model?`,
  )
}

const sourceOf = ({ providerName, baseUrl, apiKey }: Target): ErrorSource => ({ providerName, baseUrl, apiKey })

/** What a failure of `kind` asks of people; the others pass by themselves. */
const ADVICE: Partial<Record<ModelError['kind'], string>> = {
  authentication: 'Check its key.',
  insufficient_credits: 'Its account needs credit.',
  not_found: 'Check the name of the model and the address.',
  context_window_exceeded: 'Even short texts are too long for this model.',
  bad_request: 'Check the model and the address.',
  invalid_response: 'Check the address.',
}

/** What may be the fault of the texts. */
const FAILED: readonly ModelError['kind'][] = ['server_error', 'timeout']

function toEmbeddingError(error: unknown, target: Target): EmbeddingError {
  if (error instanceof EmbeddingError) return error
  const { kind, message, retryAfterMs } = toModelError(error, sourceOf(target))
  const advice = ADVICE[kind]
  // no cause: it may hold what was sent
  return new EmbeddingError(
    advice !== undefined ? 'refused' : FAILED.includes(kind) ? 'failed' : 'unavailable',
    `No vectors of ${target.handle}: ${message}${advice === undefined ? '' : ` ${advice}`}`,
    retryAfterMs === undefined ? {} : { retryAfterMs },
  )
}
