import type { FastifyReply, FastifyRequest } from 'fastify'
import type { App } from '#http/app.ts'
import { presentError, UNKNOWN_ERROR, type WireError } from '#http/wire/errors.ts'

/** Answers everything that is thrown in the contract's shape. What nobody expected is logged with its stack. */
export function answerErrors(app: App): void {
  app.setErrorHandler((error, request, reply) => sendError(error, request, reply))
  const methodsAt = collectMethods(app)
  app.setNotFoundHandler((request, reply) => {
    const methods = methodsAt(request.url.split('?', 1)[0] ?? '')
    if (methods.length === 0) return send(reply, { status: 404, headers: {}, body: { detail: 'Not Found' } })
    const body = { detail: `Method Not Allowed: this address takes ${methods.join(', ')}.` }
    return send(reply, { status: 405, headers: { allow: methods.join(', ') }, body })
  })
}

/** Also for errors that Fastify meets before there is a route, such as a malformed URL. */
export function sendError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const known = presentError(error)
  const isFault = known === undefined || known.status >= 500
  if (isFault) request.log.error({ err: error, operation: request.routeOptions.schema?.operationId }, 'request failed')
  return send(reply, known ?? UNKNOWN_ERROR)
}

function send(reply: FastifyReply, error: WireError): FastifyReply {
  return reply
    .code(error.status)
    .headers(error.headers)
    .type('application/json; charset=utf-8')
    .serializer(JSON.stringify)
    .send(error.body)
}

/** Notes the routes that are registered from now on; gives the methods that a path takes, none where there is no such path. */
function collectMethods(app: App): (path: string) => string[] {
  const routes = new Map<string, { pattern: RegExp; methods: Set<string> }>()
  app.addHook('onRoute', ({ url, method }) => {
    const pattern = new RegExp(`^${url.replace(/:\w+/g, '[^/]+')}/?$`)
    const route = routes.get(url) ?? { pattern, methods: new Set() }
    for (const name of [method].flat()) route.methods.add(name)
    routes.set(url, route)
  })
  return (path) => {
    const matching = [...routes.values()].filter((route) => route.pattern.test(path))
    return [...new Set(matching.flatMap((route) => [...route.methods]))].sort()
  }
}
