import type { FastifyRequest } from 'fastify'
import type { Context } from '#context.ts'

/** Where authorization servers send people back to. */
const CALLBACK_PATH = '/v1/tools/mcp/oauth/callback'

/**
 * The address of the way back, under the operator's PERDURE_PUBLIC_URL; without it under the host of the request, where a `Host` that is
 * more than a name and a port is not believed.
 */
export function oauthRedirectUrl({ config }: Context, request: FastifyRequest): string {
  if (config.publicUrl !== undefined) return config.publicUrl.replace(/\/+$/, '') + CALLBACK_PATH
  const host = request.headers.host ?? ''
  const scheme = request.headers['x-forwarded-proto'] === 'https' ? 'https' : request.protocol
  const isPlain = /^([\w.-]+|\[[\da-f:.]+\])(:\d{1,5})?$/i.test(host)
  const base = isPlain ? `${scheme}://${host}` : `http://127.0.0.1:${request.socket.localPort ?? 8283}`
  return base + CALLBACK_PATH
}
