import { ModelError, type ModelErrorKind } from '#llm/model.ts'
import { DomainError, type ErrorKind } from '#platform/errors.ts'
import type { RunFailure } from './run-events.ts'

/** A failure as `runs.error` has it: enough to answer a request that comes again as the first one was answered. */
export interface StoredFailure {
  type: string
  message: string
  detail: string | null
  /** What kind of error it was, and whose: `model.rate_limit`, `domain.not_found`. */
  kind?: string
  retry_after_ms?: number
  /** What the body of the answer had, where it was more than the message. */
  error_detail?: unknown
  can_retry?: boolean
}

export function toStoredFailure({ type, message, detail, cause }: RunFailure): StoredFailure {
  if (cause instanceof ModelError) {
    const retry = cause.retryAfterMs === undefined ? {} : { retry_after_ms: cause.retryAfterMs }
    return { type, message, detail, kind: `model.${cause.kind}`, ...retry }
  }
  if (cause instanceof DomainError) {
    const { detail: error_detail, canRetry: can_retry } = cause.options
    return { type, message, detail, kind: `domain.${cause.kind}`, ...withoutUndefined({ error_detail, can_retry }) }
  }
  return { type, message, detail }
}

const withoutUndefined = (
  fields: {
    [Field in keyof StoredFailure]?: StoredFailure[Field] | undefined
  },
): Partial<StoredFailure> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Partial<StoredFailure>

export function fromStoredFailure(stored: StoredFailure): RunFailure {
  const { type, message, detail } = stored
  return { type, message, detail, cause: toCause(stored) }
}

function toCause({ message, kind, retry_after_ms: retryAfterMs, error_detail, can_retry }: StoredFailure): unknown {
  const [whose, name] = kind?.split('.') ?? []
  if (whose === 'model') {
    return new ModelError(name as ModelErrorKind, message, retryAfterMs === undefined ? {} : { retryAfterMs })
  }
  return whose === 'domain'
    ? new DomainError(name as ErrorKind, message, {
        ...(error_detail === undefined ? {} : { detail: error_detail }),
        ...(can_retry === undefined ? {} : { canRetry: can_retry }),
      })
    : null
}
