import type { FastifyError, FastifySchemaValidationError } from 'fastify'
import Type from 'typebox'
import { ModelError, type ModelErrorKind } from '#llm/model.ts'
import { DomainError, type ErrorKind, errorMessage } from '#platform/errors.ts'
import {
  isConnectionLost,
  isForeignKeyViolation,
  isLimitReached,
  isUniqueViolation,
  sqlState,
} from '#store/database-error.ts'
import { idPatternName } from './ids.ts'
import { AnyObject } from './nullable.ts'

/** What every failure looks like on the wire, except those of model providers (`{error: {…}}`). */
export const ErrorBody = Type.Object({ detail: Type.Union([Type.String(), AnyObject]) })

export interface WireError {
  status: number
  headers: Record<string, string>
  body: Record<string, unknown>
}

const STATUS_OF_KIND: Record<ErrorKind, number> = {
  invalid_argument: 400,
  unprocessable: 422,
  unauthorized: 401,
  payment_required: 402,
  forbidden: 403,
  not_found: 404,
  conflict: 409,
  gone: 410,
  too_large: 413,
  unsupported: 415,
  rate_limited: 429,
  unavailable: 503,
  timeout: 504,
  internal: 500,
}

const STATUS_AND_TYPE_OF_MODEL_ERROR: Record<ModelErrorKind, [number, string]> = {
  rate_limit: [429, 'llm_rate_limit'],
  authentication: [401, 'llm_authentication'],
  insufficient_credits: [402, 'llm_insufficient_credits'],
  context_window_exceeded: [400, 'llm_bad_request'],
  bad_request: [400, 'llm_bad_request'],
  not_found: [400, 'llm_bad_request'],
  timeout: [504, 'llm_timeout'],
  overloaded: [503, 'llm_error'],
  connection: [503, 'llm_error'],
  server_error: [500, 'llm_error'],
  invalid_response: [500, 'llm_error'],
  aborted: [500, 'llm_error'],
}

/** The `{type, message, detail}` that stands for a provider's failure, in responses and in streams. */
function presentModelError(error: ModelError): { type: string; message: string; detail: string } {
  const [, type] = STATUS_AND_TYPE_OF_MODEL_ERROR[error.kind]
  return { type, message: error.message, detail: error.message }
}

/**
 * Status, headers and body of anything thrown; undefined for what nobody expected, which the caller logs and answers with
 * `UNKNOWN_ERROR`. The table is wire contract §0.1.
 */
export function presentError(error: unknown): WireError | undefined {
  if (error instanceof DomainError) return presentDomainError(error)
  if (error instanceof ModelError) {
    const [status] = STATUS_AND_TYPE_OF_MODEL_ERROR[error.kind]
    const headers =
      error.retryAfterMs === undefined ? {} : { 'retry-after': String(Math.ceil(error.retryAfterMs / 1000)) }
    return { status, headers, body: { error: presentModelError(error) } }
  }
  return presentDatabaseError(error) ?? presentFrameworkError(error)
}

export const UNKNOWN_ERROR: WireError = { status: 500, headers: {}, body: { detail: 'An unknown error occurred' } }

function presentDomainError(error: DomainError): WireError {
  const { detail, extra, retryAfterSeconds, canRetry } = error.options
  const headers: Record<string, string> = {}
  if (retryAfterSeconds !== undefined) headers['retry-after'] = String(Math.ceil(retryAfterSeconds))
  if (canRetry !== undefined) headers['x-should-retry'] = String(canRetry)
  return { status: STATUS_OF_KIND[error.kind], headers, body: { detail: detail ?? error.message, ...extra } }
}

/** Resources of the database are used up, or a statement took too long: classes 53 and 57 (PostgreSQL manual, appendix A). */
const OVERLOAD_STATE = /^(53...|57014)$/
/** Serialization failure, deadlock, lock not available. */
const CONTENTION_STATES = new Set(['40001', '40P01', '55P03'])
/** Number out of range, text that cannot be stored, value too long for an index. */
const BAD_VALUE_STATES = new Set(['22003', '22021', '22P05', '54000'])

function presentDatabaseError(error: unknown): WireError | undefined {
  const answer = (status: number, detail: string, headers: Record<string, string> = {}) => ({
    status,
    headers,
    body: { detail },
  })
  const retry = { 'retry-after': '1' }
  const state = sqlState(error) ?? ''
  if (isConnectionLost(error)) return answer(503, 'The database cannot be reached at the moment; try again.', retry)
  if (OVERLOAD_STATE.test(state)) return answer(503, 'The database is overloaded at the moment; try again.', retry)
  if (CONTENTION_STATES.has(state)) return answer(409, 'Another request changed the same data; try again.', retry)
  if (isLimitReached(error)) return answer(400, errorMessage(error), { 'x-should-retry': 'false' })
  if (isUniqueViolation(error)) return answer(409, 'An item with the same unique value exists already.')
  if (isForeignKeyViolation(error)) return answer(409, 'Something that this refers to is gone, or is still in use.')
  if (BAD_VALUE_STATES.has(state)) return answer(422, 'A value is out of range or too long to be stored.')
  return undefined
}

function presentFrameworkError(error: unknown): WireError | undefined {
  if (!(error instanceof Error)) return undefined
  const { validation, validationContext, code, statusCode } = error as Partial<FastifyError>
  if (validation !== undefined) {
    return { status: 422, headers: {}, body: presentValidation(validation, validationContext ?? 'body') }
  }
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') {
    return { status: 413, headers: {}, body: { detail: 'The request body is larger than this server accepts.' } }
  }
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') {
    return { status: 415, headers: {}, body: { detail: 'Send the body as JSON with content-type: application/json.' } }
  }
  if (code?.startsWith('FST_ERR_') && statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    return { status: statusCode, headers: {}, body: { detail: error.message } }
  }
  return undefined
}

interface ValidationIssue {
  loc: (string | number)[]
  msg: string
  type: string
}

/** The body of a 422: `detail` is one readable string, as clients of V1 expect; `errors` has the same in parts. */
function presentValidation(found: readonly FastifySchemaValidationError[], context: string): Record<string, unknown> {
  const place = context === 'querystring' ? 'query' : context === 'params' ? 'path' : context
  const issues = withoutAlternatives(found).map((error) => toIssue(error, place))
  const detail = issues.map((issue) => `${issue.loc.join('.')}: ${issue.msg}`).join('; ')
  return { trace_id: '', detail, errors: issues }
}

/** A value that is no member of a union fails once for each member: "must be null" and the summary say nothing. */
function withoutAlternatives(errors: readonly FastifySchemaValidationError[]): readonly FastifySchemaValidationError[] {
  const telling = errors.filter(
    (error) =>
      !['anyOf', 'oneOf', 'if'].includes(error.keyword) && !(error.keyword === 'type' && error.params.type === 'null'),
  )
  return telling.length > 0 ? telling : errors
}

function toIssue(error: FastifySchemaValidationError, place: string): ValidationIssue {
  const path = error.instancePath
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .map((part) => (/^\d+$/.test(part) ? Number(part) : part))
  const loc = [place, ...path]
  const { params } = error
  switch (error.keyword) {
    case 'required':
      return { loc: [...loc, String(params.missingProperty)], msg: 'Field required', type: 'missing' }
    case 'additionalProperties':
      return {
        loc: [...loc, String(params.additionalProperty)],
        msg: 'Extra inputs are not permitted',
        type: 'extra_forbidden',
      }
    case 'type':
      return { loc, msg: `Input should be a valid ${String(params.type)}`, type: `${String(params.type)}_type` }
    case 'enum':
      return { loc, msg: `Input should be one of ${String(params.allowedValues)}`, type: 'enum' }
    case 'const':
      return { loc, msg: `Input should be ${JSON.stringify(params.allowedValue)}`, type: 'literal_error' }
    case 'pattern': {
      const pattern = String(params.pattern)
      const msg = `String should match pattern '${idPatternName(pattern) ?? pattern}'`
      return { loc, msg, type: 'string_pattern_mismatch' }
    }
    default:
      return { loc, msg: `Input ${error.message ?? 'is not valid'}`, type: error.keyword }
  }
}
