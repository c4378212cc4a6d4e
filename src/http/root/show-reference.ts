import swagger, { type StaticDocumentSpec } from '@fastify/swagger'
import { fastify } from 'fastify'
import type { App } from '#http/app.ts'

/** Its own files and the server itself, and no other host. Swagger UI sets styles on its elements. */
const CONTENT_SECURITY_POLICY = {
  'default-src': ["'none'"],
  'script-src': ["'self'"],
  'style-src': ["'self'", "'unsafe-inline'"],
  'img-src': ["'self'", 'data:'],
  'font-src': ["'self'", 'data:'],
  'connect-src': ["'self'"],
  'base-uri': ["'none'"],
  'form-action': ["'none'"],
  'frame-ancestors': ["'none'"],
}

type Document = Exclude<StaticDocumentSpec['document'], string>

/** What of an answer is passed on. */
const PASSED_HEADERS = ['content-type', 'content-security-policy', 'location', 'etag', 'last-modified', 'cache-control']
const PASSED_REQUEST_HEADERS = ['if-none-match', 'if-modified-since']

/**
 * `GET /docs`: the reference of all operations, rendered by Swagger UI. It lives in a server of its own, without a port, that is made
 * when the page is first asked for: most servers never show it, and it is some 10 MB and a fifth of a second.
 */
export function showReference(app: App): void {
  let made: ReturnType<typeof makeReference> | undefined
  for (const url of ['/docs', '/docs/*']) {
    app.get(
      url,
      { config: { permission: 'public', isQuiet: true }, schema: { hide: true, operationId: 'show_reference' } },
      async (request, reply) => {
        made ??= makeReference(app.swagger() as Document)
        const reference = await made
        const headers: Record<string, string> = {}
        for (const name of PASSED_REQUEST_HEADERS) {
          const value = request.headers[name]
          if (typeof value === 'string') headers[name] = value
        }
        const answer = await reference.inject({ method: 'GET', url: request.url, headers })
        for (const name of PASSED_HEADERS) {
          const value = answer.headers[name]
          if (value !== undefined) reply.header(name, value)
        }
        return reply
          .code(answer.statusCode)
          .headers({ 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer' })
          .serializer((payload: Buffer) => payload as unknown as string)
          .send(answer.rawPayload)
      },
    )
  }
  app.addHook('onClose', async () => {
    await (await made?.catch(() => undefined))?.close()
  })
}

async function makeReference(document: Document) {
  const { default: swaggerUi } = await import('@fastify/swagger-ui')
  const reference = fastify()
  await reference.register(swagger, { mode: 'static', specification: { document } })
  await reference.register(swaggerUi, {
    routePrefix: '/docs',
    staticCSP: CONTENT_SECURITY_POLICY,
    theme: { title: 'Perdure API' },
    uiConfig: {
      docExpansion: 'none',
      deepLinking: true,
      tryItOutEnabled: false,
      // swagger.io would be asked whether the document is valid
      validatorUrl: null,
    },
  })
  await reference.ready()
  return reference
}
