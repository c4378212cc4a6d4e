import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyRequest } from 'fastify'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { credentialOf, keyComparer } from '#http/plugins/auth.ts'
import { isLoopbackAddress, isLoopbackHost } from '#http/plugins/loopback.ts'
import type { ModelRegistry } from '#llm/model.ts'
import { VERSION } from '#platform/version.ts'
import { landingPage, type ModelsShown } from './landing-page.ts'
import { LANDING_STYLE } from './landing-style.ts'

/** How long the page waits for providers that were not asked before. */
const MODELS_WAIT_MS = 200

/** Nothing but its own style: no script, no image, no frame, no form, no other host. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(LANDING_STYLE).digest('base64')}'`,
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

/** What a browser shows at the address of the server. Open to all, and tells those who may not call only what it is. */
export function showLandingPage(app: App, context: Context): void {
  const { apiKey, defaultModel } = context.config
  const isKey = apiKey === undefined ? undefined : keyComparer(apiKey)
  const mayCall = (request: FastifyRequest): boolean =>
    isKey === undefined
      ? isLoopbackAddress(request.socket.remoteAddress) && isLoopbackHost(request.headers.host)
      : isKey(credentialOf(request))
  app.get(
    '/',
    {
      config: { permission: 'public' },
      schema: {
        hide: true,
        operationId: 'show_landing_page',
        summary: 'A page for people: what runs here, how to call it',
      },
    },
    async (request, reply) => {
      const isAllowed = mayCall(request)
      return reply
        .headers({
          'content-type': 'text/html; charset=utf-8',
          'content-security-policy': CONTENT_SECURITY_POLICY,
          'x-content-type-options': 'nosniff',
          'referrer-policy': 'no-referrer',
          'cache-control': 'no-store',
        })
        .send(
          landingPage({
            version: VERSION,
            engine: context.db.engine,
            url: addressOf(request),
            models: isAllowed ? await modelsShown(context.models) : 'hidden',
            defaultModel: isAllowed ? defaultModel : undefined,
            needsKey: apiKey !== undefined,
          }),
        )
    },
  )
}

/**
 * The address under which the page was asked for, for commands that are copied into a shell: a `Host` that is more than a name
 * and a port is not believed.
 */
function addressOf(request: FastifyRequest): string {
  const host = request.headers.host ?? ''
  const scheme = request.headers['x-forwarded-proto'] === 'https' ? 'https' : request.protocol
  if (/^([\w.-]+|\[[\da-f:.]+\])(:\d{1,5})?$/i.test(host)) return `${scheme}://${host}`
  return `http://127.0.0.1:${request.socket.localPort ?? 8283}`
}

async function modelsShown(models: ModelRegistry): Promise<ModelsShown> {
  const abort = new AbortController()
  const listed = models.listModels(null).then(
    (found) => found.map((model) => model.handle),
    () => 'failed' as const,
  )
  const late = sleep(MODELS_WAIT_MS, 'asking' as const, { signal: abort.signal }).catch(() => 'asking' as const)
  const shown = await Promise.race([listed, late])
  abort.abort()
  return shown
}
