import type { FastifyReply, FastifyRequest } from 'fastify'
import { presentError, UNKNOWN_ERROR } from '#http/wire/errors.ts'

/** An error as programs for the API of OpenAI read it. */
export interface OpenAiError {
  message: string
  type: string
  param: string | null
  code: string | null
}

const TYPES: Record<number, [type: string, code: string | null]> = {
  401: ['authentication_error', 'invalid_api_key'],
  402: ['insufficient_quota', 'insufficient_quota'],
  403: ['permission_error', null],
  429: ['rate_limit_error', 'rate_limit_exceeded'],
}

function describe(error: unknown): { status: number; headers: Record<string, string>; body: OpenAiError } {
  const { status, headers, body } = presentError(error) ?? UNKNOWN_ERROR
  const [type, code] = TYPES[status] ?? [status >= 500 ? 'server_error' : 'invalid_request_error', null]
  const { detail, error: ofModel } = body
  // some errors of the other routes have words and a code in `detail`
  const parts = typeof detail === 'object' && detail !== null ? (detail as { message?: unknown; code?: unknown }) : {}
  const said = (ofModel as { message?: unknown } | undefined)?.message ?? parts.message ?? detail
  const ownCode = body.code ?? parts.code
  const message = typeof said === 'string' ? said : JSON.stringify(said)
  return {
    status,
    headers,
    body: { message, type, param: null, code: typeof ownCode === 'string' ? ownCode : code },
  }
}

/** What stands for a failure in a stream that has begun. */
export const presentOpenAiError = (error: unknown): OpenAiError => describe(error).body

/** The error handler of the routes that speak OpenAI's API; status codes are those of the other routes. */
export function sendOpenAiError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { status, headers, body } = describe(error)
  if (status >= 500) {
    request.log.error({ err: error, operation: request.routeOptions.schema?.operationId }, 'request failed')
  }
  return reply
    .code(status)
    .headers(headers)
    .type('application/json; charset=utf-8')
    .serializer(JSON.stringify)
    .send({ error: body })
}
