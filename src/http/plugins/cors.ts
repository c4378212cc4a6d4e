import type { App } from '#http/app.ts'

const METHODS = 'GET, POST, PUT, PATCH, DELETE'
/** Seconds for which a browser need not ask again. */
const PREFLIGHT_MAX_AGE = '600'

/** Lets web pages of the configured origins call; all others get no header, and their browsers hide the answer. */
export function allowOrigins(app: App, origins: readonly string[]): void {
  if (origins.length === 0) return
  app.addHook('onRequest', async (request, reply) => {
    reply.header('vary', 'Origin')
    const { origin } = request.headers
    if (origin === undefined || !origins.includes(origin)) return
    reply.header('access-control-allow-origin', origin)
    reply.header('access-control-expose-headers', 'x-request-id, retry-after')
    if (request.method !== 'OPTIONS' || request.headers['access-control-request-method'] === undefined) return
    return reply
      .code(204)
      .header('access-control-allow-methods', METHODS)
      .header('access-control-allow-headers', request.headers['access-control-request-headers'] ?? '*')
      .header('access-control-max-age', PREFLIGHT_MAX_AGE)
      .send()
  })
}
