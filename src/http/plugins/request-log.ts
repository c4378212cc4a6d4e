import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { hideAccessTokens } from '#agent/access-tokens/access-token.ts'
import type { App } from '#http/app.ts'

/** An id that a client may choose: it goes into logs and back into a header, so it is short and plain. */
const CLIENT_REQUEST_ID = /^[\w.:-]{1,128}$/

/** The caller's `x-request-id` where it is usable, else a new one. */
export function requestId(request: Pick<IncomingMessage, 'headers'>): string {
  const given = request.headers['x-request-id']
  return typeof given === 'string' && CLIENT_REQUEST_ID.test(given) ? given : randomUUID()
}

/** One line per request: operation, status, duration; never a body, a query or a header, which can hold secrets. */
export function logRequests(app: App): void {
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id)
  })
  app.addHook('onResponse', async (request, reply) => {
    const { schema, config } = request.routeOptions
    if (config?.isQuiet && reply.statusCode < 500) return
    request.log.info(
      {
        operation: schema?.operationId ?? null,
        method: request.method,
        path: hideAccessTokens(request.url.split('?', 1)[0] ?? ''),
        status: reply.statusCode,
        duration_ms: Math.round(reply.elapsedTime * 10) / 10,
      },
      'request',
    )
  })
}
