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
}

export function toStoredFailure({ type, message, detail, cause }: RunFailure): StoredFailure {
  if (cause instanceof ModelError) {
    const retry = cause.retryAfterMs === undefined ? {} : { retry_after_ms: cause.retryAfterMs }
    return { type, message, detail, kind: `model.${cause.kind}`, ...retry }
  }
  if (cause instanceof DomainError) return { type, message, detail, kind: `domain.${cause.kind}` }
  return { type, message, detail }
}

export function fromStoredFailure({ type, message, detail, kind, retry_after_ms }: StoredFailure): RunFailure {
  return { type, message, detail, cause: toCause(message, kind, retry_after_ms) }
}

function toCause(message: string, kind: string | undefined, retryAfterMs: number | undefined): unknown {
  const [whose, name] = kind?.split('.') ?? []
  if (whose === 'model') {
    return new ModelError(name as ModelErrorKind, message, retryAfterMs === undefined ? {} : { retryAfterMs })
  }
  return whose === 'domain' ? new DomainError(name as ErrorKind, message) : null
}
