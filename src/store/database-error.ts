import { DomainError } from '#platform/errors.ts'

/** SQLSTATE of an error that a database engine threw, or undefined when the error came from elsewhere. */
export function sqlState(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined
  const code = (error as { code?: unknown }).code
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) ? code : undefined
}

export const isUniqueViolation = (error: unknown): boolean => sqlState(error) === '23505'
/** A limit of `memory_limits` is reached; the message says which, and what to do. */
export const isLimitReached = (error: unknown): boolean => sqlState(error) === 'PD002'
export const isForeignKeyViolation = (error: unknown): boolean => sqlState(error) === '23503'

// Class 08 (connection exception) and the shutdown codes of class 57 (appendix A of PostgreSQL's manual); and 25006, read-only
// transaction: the connection leads to a server that is no primary, or not now, and another one may lead to the right server.
const LOST_STATES = /^(08...|57P0[1-5]|25006)$/
const LOST_SYSTEM_CODES = new Set([
  'ECONNABORTED',
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ENOENT',
])
// `pg` gives these no code.
const LOST_MESSAGES =
  /^(Connection terminated|Client has encountered a connection error|Client was closed|Query read timeout)/

/** True when the connection is gone: whether the statement took effect is unknown. */
export function isConnectionLost(error: unknown): boolean {
  const state = sqlState(error)
  if (state !== undefined && LOST_STATES.test(state)) return true
  if (!(error instanceof Error)) return false
  const code = (error as { code?: unknown }).code
  return (typeof code === 'string' && LOST_SYSTEM_CODES.has(code)) || LOST_MESSAGES.test(error.message)
}

// serialization failure, deadlock, lock not available, too many connections
const RETRY_STATES = new Set(['40001', '40P01', '55P03', '53300'])

/**
 * True when the same work can succeed in a moment: the database is away, or two transactions were in each other's way. After
 * a lost connection the work may have been done already, so what is retried must be safe to run twice.
 */
export function isTransient(error: unknown): boolean {
  if (error instanceof DomainError) return error.kind === 'unavailable'
  return isConnectionLost(error) || RETRY_STATES.has(sqlState(error) ?? '')
}
