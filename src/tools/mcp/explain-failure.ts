import {
  ProtocolError,
  SdkError,
  SdkErrorCode,
  SdkHttpError,
  SseError,
  UnauthorizedError,
} from '@modelcontextprotocol/client'
import { errorMessage } from '#platform/errors.ts'
import { findForbiddenAddress } from '#platform/guarded-lookup.ts'
import { SandboxUnavailable } from '#tools/sandbox/tool-runner.ts'
import { ResponseTooLarge } from './limit-body.ts'
import { McpFailure } from './mcp-failure.ts'
import type { McpTarget } from './mcp-target.ts'
import { withoutSecrets } from './without-secrets.ts'

/** Characters of a server's own words that are repeated. */
const MAX_WORDS = 500

/** What was being done when it failed. */
export interface FailedWork {
  doing: 'connecting' | 'listing' | 'calling' | 'pinging'
  timeoutMs: number
  isCancelled: boolean
  /** How the program ended and what it said last. */
  lastWords?: string | undefined
  hadSession: boolean
}

/** What would have brought the answer ended without it. */
export class StreamCut extends Error {}

/** Anything thrown, as what people read of it. Secrets of the target are taken out of the server's words. */
export function explainFailure(error: unknown, target: McpTarget, work: FailedWork): McpFailure {
  if (error instanceof McpFailure) return error
  const { kind, reason, isUnsent = false, advice } = judge(error, target, work)
  const text = `MCP server '${target.serverName}' ${reason}${/[.!?]$/.test(reason) ? '' : '.'}${advice === undefined ? '' : ` ${advice}`}`
  return new McpFailure(kind, withoutSecrets(text, target.secrets), { isUnsent })
}

interface Judgement {
  kind: McpFailure['kind']
  /** After the server's name. */
  reason: string
  isUnsent?: boolean
  advice?: string
}

function judge(error: unknown, target: McpTarget, work: FailedWork): Judgement {
  if (work.isCancelled) return { kind: 'cancelled', reason: 'was told to stop: the request was cancelled' }
  const forbidden = findForbiddenAddress(error)
  if (forbidden !== undefined) {
    return { kind: 'forbidden', reason: `was not asked: ${forbidden.message}`, isUnsent: true }
  }
  if (error instanceof SandboxUnavailable) {
    return { kind: 'configuration', reason: `was not started: ${error.message}`, isUnsent: true }
  }
  const tooLarge = findCause(error, (cause) => cause instanceof ResponseTooLarge)
  if (tooLarge !== undefined)
    return { kind: 'too-large', reason: `was not listened to any more: ${errorMessage(tooLarge)}` }
  if (error instanceof ProtocolError) {
    return { kind: 'protocol', reason: `answered with an error: ${quote(error.message)} (${error.code})` }
  }
  if (isTimeout(error)) {
    return {
      kind: 'time-out',
      reason: `did not answer in ${work.timeoutMs / 1000} s while ${work.doing}`,
      advice: work.doing === 'calling' ? 'The tool may still have taken effect.' : 'See whether it is running.',
    }
  }
  return judgeHttp(error, target, work) ?? judgeConnection(error, work)
}

const isTimeout = (error: unknown): boolean =>
  (error instanceof SdkError && error.code === SdkErrorCode.RequestTimeout) ||
  (error instanceof Error && error.name === 'TimeoutError')

function judgeHttp(error: unknown, target: McpTarget, work: FailedWork): Judgement | undefined {
  const status = statusOf(error)
  if (status === undefined) return undefined
  if (status === 401 || status === 403) {
    return {
      kind: 'refused',
      reason: `refused the request (HTTP ${status})`,
      advice: target.mayUseOauth
        ? `If it wants an authorization, allow it: GET /v1/mcp-servers/connect/${target.serverId}. Otherwise set auth_token or custom_headers.`
        : 'See whether its auth_token and custom_headers are right.',
    }
  }
  const words = error instanceof Error ? error.message : ''
  if (work.hadSession && (status === 404 || (status === 400 && /session/i.test(words)))) {
    return { kind: 'session-lost', reason: 'does not know the session any more; it may have been restarted' }
  }
  return {
    kind: 'unreachable',
    reason: `answered with HTTP ${status}: ${quote(words)}`,
    advice: 'See whether server_url and the type of the server are right.',
  }
}

function statusOf(error: unknown): number | undefined {
  if (error instanceof UnauthorizedError) return 401
  if (error instanceof SdkHttpError) return error.status
  if (error instanceof SseError && typeof error.code === 'number' && error.code >= 300) return error.code
  const status = /\(HTTP (\d{3})\)/.exec(error instanceof Error ? error.message : '')?.[1]
  return status === undefined ? undefined : Number(status)
}

/** Codes of failures from before a byte was sent. */
const UNSENT = /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|UND_ERR_CONNECT_TIMEOUT)$/

function judgeConnection(error: unknown, { doing, lastWords }: FailedWork): Judgement {
  if (lastWords !== undefined) {
    const isStart = doing === 'connecting'
    return {
      kind: isStart ? 'unreachable' : 'interrupted',
      reason: `ended while ${doing}: ${quote(lastWords)}`,
      advice: isStart
        ? 'See whether its command, args and env are right.'
        : 'It is started again for the next call; what this one did is not known.',
    }
  }
  const code = codeOf(error)
  if (code !== undefined && UNSENT.test(code)) {
    return {
      kind: 'unreachable',
      reason: `cannot be reached: ${describe(error)}`,
      isUnsent: true,
      advice: 'See whether it is running and server_url is right.',
    }
  }
  if (doing === 'calling' && (error instanceof StreamCut || code !== undefined || isClosed(error))) {
    return {
      kind: 'interrupted',
      reason: `broke the connection during the call: ${describe(error)}`,
      advice: 'What the tool did is not known.',
    }
  }
  if (doing === 'calling') return { kind: 'protocol', reason: `gave no valid answer: ${quote(describe(error))}` }
  return { kind: 'unreachable', reason: `failed while ${doing}: ${quote(describe(error))}` }
}

const isClosed = (error: unknown): boolean =>
  (error instanceof SdkError && error.code === SdkErrorCode.ConnectionClosed) || error instanceof TypeError

/** The innermost message: `fetch failed` alone says nothing. */
function describe(error: unknown): string {
  let inner = error
  while (inner instanceof Error && inner.cause instanceof Error) inner = inner.cause
  if (inner instanceof AggregateError && inner.message === '') inner = inner.errors[0]
  return errorMessage(inner)
}

function codeOf(error: unknown): string | undefined {
  const found = findCause(
    error,
    (cause) =>
      'code' in cause && typeof cause.code === 'string' && /^[A-Z_]+$/.test(cause.code) && !(cause instanceof SdkError),
  )
  return found === undefined ? undefined : String((found as Error & { code: unknown }).code)
}

function findCause(error: unknown, is: (cause: Error) => boolean): Error | undefined {
  let cause = error
  for (let depth = 0; depth < 8 && cause instanceof Error; depth += 1) {
    if (is(cause)) return cause
    if (cause instanceof AggregateError) {
      const inner = cause.errors.map((each) => findCause(each, is)).find((each) => each !== undefined)
      if (inner !== undefined) return inner
    }
    cause = cause.cause
  }
  return undefined
}

function quote(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim()
  return line.length > MAX_WORDS ? `${line.slice(0, MAX_WORDS).toWellFormed()}…` : line
}
