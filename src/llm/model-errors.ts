import { AISDKError, APICallError } from '@ai-sdk/provider'
import { findForbiddenAddress } from '#platform/guarded-lookup.ts'
import { ModelTimeout } from './fetch.ts'
import { ModelError, type ModelErrorKind } from './model.ts'

/** Whose failure it is, and which texts must not appear in its message. */
export interface ErrorSource {
  /** As people read it: `OpenAI`, `lab`. */
  providerName: string
  baseUrl: string
  apiKey: string | undefined
}

/** A stream that came to its end without saying that the answer is complete. */
export class CutAnswer extends Error {}

/**
 * "Too long" in the words of OpenAI, Anthropic, Gemini, vLLM, llama.cpp, Ollama, OpenRouter, Groq, Mistral and xAI. The code
 * `context_length_exceeded` is in the first alternative.
 */
const CONTEXT_WINDOW =
  /context[_ ](length|window|size)[^.]{0,40}exce|exce[^.]{0,60}context|maximum context length|prompt is too long|input is too long|input token count[^.]{0,60}exceeds|longer than the (model's )?(maximum )?context|exceeds? (the )?(model'?s? )?max(imum)? (input )?(tokens|length|prompt)|too many (input )?tokens|reduce the length of the (messages|prompt)|decoder prompt[^.]{0,60}longer than|max_model_len|exceed_context_size|request too large for model|maximum prompt length/i
const INSUFFICIENT_CREDITS =
  /insufficient[_ ](quota|credits?|balance|funds)|credit balance is too low|exceeded your current quota|billing[_ ](hard[_ ]limit|not[_ ]active)|payment required|requires more credits|out of credits/i
const OVERLOADED = /overloaded|model is busy|at capacity|engine is currently unavailable/i
const WRONG_KEY =
  /api[_ ]key not valid|invalid[_ ]api[_ ]key|incorrect api key|authentication[_ ]error|api_key_invalid/i

/** How the AI SDK says that an answer has no end. */
const CUT = /without a finish reason|stream ended/i

const MAX_MESSAGE_CHARS = 1_000

/** Any failure of a model call as a ModelError: what kind it is, whose it is, and the provider's own words without secrets. */
export function toModelError(error: unknown, source: ErrorSource): ModelError {
  if (error instanceof ModelError) return error
  const isCut = error instanceof CutAnswer || (AISDKError.isInstance(error) && CUT.test(error.message))
  if (isCut) return named('connection', 'ended its answer in the middle.', source, { cause: error })
  const forbidden = findForbiddenAddress(error)
  if (forbidden !== undefined) return named('bad_request', `is not asked: ${forbidden.message}.`, source)
  const timeout = findCause(error, (cause) => cause instanceof ModelTimeout)
  if (timeout !== undefined) return named('timeout', timeout.message, source, { cause: timeout })
  if (APICallError.isInstance(error) && error.statusCode !== undefined && error.statusCode >= 300) {
    return fromResponse(error, source)
  }
  const networkError = findCause(error, (cause) => typeof (cause as { code?: unknown }).code === 'string')
  if (networkError !== undefined && !isErrorObject(error)) return fromNetwork(networkError, source)
  if (isErrorObject(error)) return fromErrorChunk(error, source)
  if (AISDKError.isInstance(error)) {
    // an APICallError holds the whole prompt, which has no place in a log
    const cause = APICallError.isInstance(error) ? error.cause : error
    return named('invalid_response', `sent what is no valid answer: ${words(error, source)}`, source, { cause })
  }
  if (error instanceof TypeError && /terminated|fetch failed|aborted/.test(error.message)) {
    return named('connection', 'closed the connection.', source, { cause: error })
  }
  return named('invalid_response', `sent what could not be read: ${words(error, source)}`, source, { cause: error })
}

/** Kind of a failure by status code and the words around it. */
export function kindOf(status: number | undefined, text: string): ModelErrorKind {
  // Gemini's "exceeded your current quota" is its rate limit; OpenAI's is an account without credit
  if (status === 429 && /RESOURCE_EXHAUSTED/.test(text)) return 'rate_limit'
  if (status === 402 || INSUFFICIENT_CREDITS.test(text)) return 'insufficient_credits'
  const isAboutRate = status === 429 && !/context/i.test(text)
  if (!isAboutRate && (status === undefined || status < 500 || status === 500) && CONTEXT_WINDOW.test(text)) {
    return 'context_window_exceeded'
  }
  if (status === 413) return 'context_window_exceeded'
  if (status === 401 || status === 403 || WRONG_KEY.test(text)) return 'authentication'
  if (status === 404) return 'not_found'
  if (status === 408 || status === 504) return 'timeout'
  if (status === 429) return 'rate_limit'
  if (status === 503 || status === 529 || OVERLOADED.test(text)) return 'overloaded'
  if (status !== undefined) return status >= 500 ? 'server_error' : 'bad_request'
  if (/rate[_ ]limit/i.test(text)) return 'rate_limit'
  if (/not[_ ]found/i.test(text)) return 'not_found'
  if (/invalid[_ ]request|invalid[_ ]argument|bad[_ ]request/i.test(text)) return 'bad_request'
  return 'server_error'
}

/**
 * Milliseconds that a provider asks to wait, from `retry-after-ms` or `retry-after` (seconds or an HTTP date).
 * @param now milliseconds since 1970
 */
export function parseRetryAfter(headers: Record<string, string> | undefined, now = Date.now()): number | undefined {
  const exact = Number.parseFloat(headers?.['retry-after-ms'] ?? '')
  if (exact >= 0) return exact
  const text = headers?.['retry-after']?.trim() ?? ''
  if (/^\d+(\.\d+)?$/.test(text)) return Number.parseFloat(text) * 1000
  const date = text === '' ? Number.NaN : Date.parse(text)
  return Number.isNaN(date) ? undefined : Math.max(0, date - now)
}

/** Gemini writes the wait into the body: `"retryDelay": "17s"`. */
function retryDelayOfGemini(body: string | undefined): number | undefined {
  const seconds = body?.match(/"retryDelay":\s*"([\d.]+)s"/)?.[1]
  return seconds === undefined ? undefined : Number.parseFloat(seconds) * 1000
}

function fromResponse(error: APICallError, source: ErrorSource): ModelError {
  const status = error.statusCode as number
  if (status < 400) {
    const location = scrub(error.responseHeaders?.location ?? 'another address', source)
    return named('bad_request', `redirects to ${location}; use the final address as base URL.`, source, { status })
  }
  const said = words(error, source)
  const kind = kindOf(status, `${error.message} ${error.responseBody ?? ''}`)
  const retryAfterMs = parseRetryAfter(error.responseHeaders) ?? retryDelayOfGemini(error.responseBody)
  return named(kind, `answered ${status}: ${said}`, source, {
    status,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    cause: error.cause,
  })
}

/** What is wrong with the network, by Node's and undici's codes. */
const NETWORK: Record<string, string> = {
  ECONNREFUSED: 'refused the connection; is it running?',
  ENOTFOUND: 'is not known by that name.',
  EAI_AGAIN: 'could not be looked up; is the network up?',
  ECONNRESET: 'closed the connection.',
  EPIPE: 'closed the connection.',
  ETIMEDOUT: 'could not be reached in time.',
  EHOSTUNREACH: 'could not be reached.',
  ENETUNREACH: 'could not be reached.',
  UND_ERR_SOCKET: 'closed the connection.',
  UND_ERR_CONNECT_TIMEOUT: 'could not be reached in time.',
}

function fromNetwork(error: Error, source: ErrorSource): ModelError {
  const { code } = error as Error & { code: string }
  return named('connection', NETWORK[code] ?? `could not be talked to: ${words(error, source)} (${code})`, source, {
    cause: error,
  })
}

/** An error in the middle of a stream: the provider's object, in the shapes of OpenAI, Anthropic and Gemini. */
interface ErrorObject {
  message?: unknown
  type?: unknown
  code?: unknown
  status?: unknown
  error?: unknown
}

const isErrorObject = (error: unknown): error is ErrorObject =>
  typeof error === 'string' || (typeof error === 'object' && error !== null && !(error instanceof Error))

function fromErrorChunk(error: ErrorObject | string, source: ErrorSource): ModelError {
  let value: ErrorObject | string = error
  while (typeof value === 'object' && typeof value.error === 'object' && value.error !== null) value = value.error
  if (typeof value === 'string') value = { message: value }
  const { message, type, code, status } = value
  const httpStatus = [code, status].find((entry) => typeof entry === 'number' && entry >= 400 && entry < 600)
  const text = typeof message === 'string' && message !== '' ? message : JSON.stringify(error)
  const kind = kindOf(httpStatus as number | undefined, [type, code, status, text].join(' '))
  return named(kind, `broke off its answer: ${scrub(text, source)}`, source, {
    ...(httpStatus === undefined ? {} : { status: httpStatus as number }),
  })
}

function named(
  kind: ModelErrorKind,
  text: string,
  source: ErrorSource,
  options: { status?: number; retryAfterMs?: number; cause?: unknown } = {},
): ModelError {
  const host = URL.parse(source.baseUrl)?.host ?? source.baseUrl
  return new ModelError(kind, `${source.providerName} (${host}) ${text}`, options)
}

/** The provider's own words: its error message, else the start of its answer. */
function words(error: unknown, source: ErrorSource): string {
  if (!(error instanceof Error)) return scrub(String(error), source)
  const body = APICallError.isInstance(error) ? (error.responseBody?.trim() ?? '') : ''
  // after these words the SDK lists every alternative of its schema
  const [message] = error.message.split('\nError message:', 1)
  return scrub(wordsOfBody(body) ?? (message || body || 'no reason given'), source)
}

function wordsOfBody(body: string): string | undefined {
  if (body === '') return undefined
  try {
    const parsed: unknown = JSON.parse(body)
    const [value] = Array.isArray(parsed) ? parsed : [parsed]
    for (const candidate of [value?.error?.message, value?.error, value?.message, value?.detail]) {
      if (typeof candidate === 'string' && candidate !== '') return candidate
    }
    return body
  } catch {
    // an HTML page of a proxy says nothing that a person wants to read in a log line
    return body.startsWith('<') ? undefined : body
  }
}

/** Without the key and without the credentials of a URL; at most 1 000 characters. */
function scrub(text: string, { apiKey }: ErrorSource): string {
  const clean = text
    .replace(/(:\/\/)[^\s/@"]+@/g, '$1')
    .replace(/([?&](?:key|api_key|token)=)[^&\s"]+/gi, '$1[redacted]')
    .replace(/\b(sk-|AIza)[\w-]{8,}/g, '[redacted]')
  const safe = apiKey !== undefined && apiKey.length > 3 ? clean.replaceAll(apiKey, '[redacted]') : clean
  return safe.length > MAX_MESSAGE_CHARS ? `${safe.slice(0, MAX_MESSAGE_CHARS)}…` : safe
}

function findCause(error: unknown, matches: (cause: Error) => boolean): Error | undefined {
  let cause = error
  for (let depth = 0; cause instanceof Error && depth < 8; depth++) {
    if (matches(cause)) return cause
    cause = cause.cause
  }
  return undefined
}
