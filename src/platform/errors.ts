/** What went wrong, in terms that every layer may use. Only `http/wire/errors.ts` knows the status code of a kind. */
export type ErrorKind =
  | 'invalid_argument'
  | 'unprocessable'
  | 'unauthorized'
  | 'payment_required'
  | 'forbidden'
  | 'not_found'
  | 'conflict'
  | 'gone'
  | 'too_large'
  | 'unsupported'
  | 'rate_limited'
  | 'unavailable'
  | 'timeout'
  | 'internal'

export interface DomainErrorOptions {
  /** What the client reads as `detail` when the message alone is not enough (an object with a code, the ids concerned…). */
  detail?: unknown
  /** Further top-level fields of the error body, such as `run_id` of the run that is in the way. */
  extra?: Record<string, unknown>
  /** Seconds after which a retry can succeed; sent as `Retry-After`. */
  retryAfterSeconds?: number
  /** False where a retry cannot help; sent as `x-should-retry: false`, which the SDKs obey. */
  canRetry?: boolean
  cause?: unknown
}

/** An expected failure: its message is written for the caller and says what happened and what to do next. */
export class DomainError extends Error {
  readonly kind: ErrorKind
  readonly options: DomainErrorOptions

  constructor(kind: ErrorKind, message: string, options: DomainErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'DomainError'
    this.kind = kind
    this.options = options
  }
}

export const notFound = (message: string): DomainError => new DomainError('not_found', message)
export const invalidArgument = (message: string): DomainError => new DomainError('invalid_argument', message)
export const unprocessable = (message: string): DomainError => new DomainError('unprocessable', message)
export const conflict = (message: string, options: DomainErrorOptions = {}): DomainError =>
  new DomainError('conflict', message, options)

/** The message of anything thrown; never a stack, never an object dump. */
export function errorMessage(error: unknown): string {
  if (error instanceof Error) return error.message
  return typeof error === 'string' ? error : 'unknown error'
}
