import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import type { FastifyRequest } from 'fastify'
import type { Actor, App } from '#http/app.ts'
import { DomainError } from '#platform/errors.ts'
import { DEFAULT_ORGANIZATION_ID, DEFAULT_USER_ID } from '#platform/ids.ts'
import type { Queryable } from '#store/db.ts'
import { findTokenActor, keepTokensToTheirAgents } from './access-token.ts'
import { isLoopbackAddress, isLoopbackHost } from './loopback.ts'

export interface AuthOptions {
  /** Undefined: no key is asked, and only this machine is served. */
  apiKey: string | undefined
  /** Origins of web pages that may call, such as `https://console.example.org`. */
  corsOrigins: readonly string[]
}

const LOCAL_ADMIN: Actor = { organizationId: DEFAULT_ORGANIZATION_ID, userId: DEFAULT_USER_ID, projectId: null }

/**
 * Who calls is told by the credential alone: a `user_id` header, which V1 believed, is ignored. Without a key the requests
 * of this machine are the local administrator's, provided that no web page sent them. A web page with an access token may do what the token says, and no more.
 */
export function authenticate(app: App, options: AuthOptions, db: Queryable): void {
  const isKey = options.apiKey === undefined ? undefined : keyComparer(options.apiKey)
  app.decorateRequest('actor', null as unknown as Actor)
  app.addHook('onRequest', async (request) => {
    request.actor = LOCAL_ADMIN
    if (request.routeOptions.config?.permission === 'public') return
    const credential = credentialOf(request)
    if (isKey?.(credential)) return
    const found = await findTokenActor(db, request, credential)
    if (found === undefined && isKey !== undefined) throw new DomainError('unauthorized', 'Unauthorized')
    if (isKey === undefined) requireLocalCaller(request, [...options.corsOrigins, ...(found?.origins ?? [])])
    if (found !== undefined) request.actor = found.actor
  })
  keepTokensToTheirAgents(app, db)
}

/** Compares hashes, in constant time: neither the key's length nor its beginning can be measured. */
export function keyComparer(key: string): (candidate: string | undefined) => boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  const expected = digest(key)
  return (candidate) => candidate !== undefined && timingSafeEqual(digest(candidate), expected)
}

/** `Authorization: Bearer <key>`, or V1's `X-BARE-PASSWORD: password <key>`. */
export function credentialOf(request: FastifyRequest): string | undefined {
  const bearer = /^Bearer +(\S+) *$/i.exec(request.headers.authorization ?? '')?.[1]
  if (bearer !== undefined) return bearer
  const bare = request.headers['x-bare-password']
  return typeof bare === 'string' ? /^password +(\S+) *$/.exec(bare)?.[1] : undefined
}

/**
 * Three ways in which a foreign page reaches a local server, and what stops each: DNS rebinding (its name stands in
 * `Host`), a cross-origin fetch or form (`Origin`), an image or a link (`Sec-Fetch-Site`).
 */
function requireLocalCaller(request: FastifyRequest, corsOrigins: readonly string[]): void {
  if (!isLoopbackAddress(request.socket.remoteAddress)) {
    throw forbidden('Without an API key only requests from this machine are served. Set PERDURE_API_KEY.')
  }
  if (cameFromElsewhere(request.headers)) {
    throw forbidden('Requests that a proxy passes on from elsewhere are refused without a key. Set PERDURE_API_KEY.')
  }
  if (!isLoopbackHost(hostOf(request))) {
    throw forbidden('The Host header names another host. Use http://localhost, or set PERDURE_API_KEY.')
  }
  const { origin } = request.headers
  const isTrustedOrigin = origin !== undefined && (corsOrigins.includes(origin) || isLoopbackOrigin(origin))
  if (origin !== undefined && !isTrustedOrigin) {
    throw forbidden('Web pages of this origin may not call this server. Add the origin to PERDURE_CORS_ORIGINS.')
  }
  if (request.headers['sec-fetch-site'] === 'cross-site' && !isTrustedOrigin) {
    throw forbidden(
      'Requests that another web site causes are refused. Set PERDURE_API_KEY, or open the address yourself.',
    )
  }
}

/** The host that is asked for: of `GET http://host/path` it stands in the address, which wins over the header (RFC 9112 §3.2.2). */
function hostOf({ raw, headers }: FastifyRequest): string | undefined {
  const target = raw.url ?? ''
  if (target.startsWith('/')) return headers.host
  const url = URL.parse(target)
  return url !== null && url.username === '' && url.password === '' && isLoopbackHost(headers.host)
    ? url.host
    : undefined
}

/**
 * True where a proxy on this machine says that it asks for somebody on another: it would make everyone the administrator.
 * A proxy that says nothing cannot be told from a local client.
 */
function cameFromElsewhere(headers: IncomingHttpHeaders): boolean {
  const clients = [headers['x-forwarded-for'], headers['x-real-ip'], headers['cf-connecting-ip']]
    .flat()
    .flatMap((value) => value?.split(',') ?? [])
  const hosts = [headers['x-forwarded-host']].flat().flatMap((value) => value?.split(',') ?? [])
  return (
    headers.forwarded !== undefined ||
    clients.some((client) => !isLoopbackAddress(client.trim())) ||
    hosts.some((host) => !isLoopbackHost(host.trim()))
  )
}

function isLoopbackOrigin(origin: string): boolean {
  const url = URL.parse(origin)
  return url !== null && /^https?:$/.test(url.protocol) && isLoopbackHost(url.host)
}

const forbidden = (message: string): DomainError => new DomainError('forbidden', message, { canRetry: false })
