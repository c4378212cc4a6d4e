import { createHash, randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'

interface Code {
  clientId: string
  redirectUri: string
  challenge: string
  resource: string | null
}

/** What the authorization server does that a test may change. */
export interface OauthBehaviour {
  /** Of access tokens; in seconds. */
  expiresIn: number
  /** Instead of a code, the way back brings this error. */
  denial?: string | undefined
  /** Instead of the real address of the token endpoint. */
  tokenEndpoint?: string | undefined
  /** The token endpoint answers 503. */
  isBroken?: boolean
}

/** A real authorization server on this machine: metadata, registration, codes with PKCE, tokens that are renewed once each. */
export async function startOauthServer(behaviour: OauthBehaviour = { expiresIn: 3_600 }) {
  const clients = new Map<string, { redirect_uris: string[]; secret: string }>()
  const codes = new Map<string, Code>()
  const accessTokens = new Set<string>()
  const refreshTokens = new Set<string>()
  const seen: string[] = []
  const json = (response: ServerResponse, status: number, body: object) =>
    void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  const invalid = (response: ServerResponse, error: string) => json(response, 400, { error })

  const http = createServer(async (request, response) => {
    const url = new URL(request.url ?? '/', base)
    seen.push(`${request.method} ${url.pathname}`)
    const body = await text(request)
    if (url.pathname === '/.well-known/oauth-authorization-server') {
      return json(response, 200, {
        issuer: base,
        authorization_endpoint: `${base}/authorize`,
        token_endpoint: behaviour.tokenEndpoint ?? `${base}/token`,
        registration_endpoint: `${base}/register`,
        response_types_supported: ['code'],
        code_challenge_methods_supported: ['S256'],
        token_endpoint_auth_methods_supported: ['client_secret_post'],
        authorization_response_iss_parameter_supported: true,
      })
    }
    if (url.pathname === '/register') return register(response, JSON.parse(body) as { redirect_uris: string[] })
    if (url.pathname === '/authorize') return authorize(url, response)
    if (url.pathname === '/token') return token(request, response, new URLSearchParams(body))
    return json(response, 404, {})
  })

  function register(response: ServerResponse, { redirect_uris }: { redirect_uris: string[] }) {
    const client_id = randomUUID()
    const secret = `planted-client-${randomUUID()}`
    clients.set(client_id, { redirect_uris, secret })
    json(response, 201, {
      client_id,
      client_secret: secret,
      redirect_uris,
      token_endpoint_auth_method: 'client_secret_post',
    })
  }

  /** As if the person had said yes at once. */
  function authorize({ searchParams }: URL, response: ServerResponse) {
    const get = (name: string) => searchParams.get(name) ?? ''
    const client = clients.get(get('client_id'))
    const redirectUri = get('redirect_uri')
    if (client === undefined || !client.redirect_uris.includes(redirectUri)) return invalid(response, 'invalid_client')
    if (get('code_challenge_method') !== 'S256' || get('code_challenge') === '')
      return invalid(response, 'invalid_request')
    const back = new URL(redirectUri)
    back.searchParams.set('state', get('state'))
    back.searchParams.set('iss', base)
    if (behaviour.denial !== undefined) back.searchParams.set('error', behaviour.denial)
    else {
      const code = `planted-code-${randomUUID()}`
      codes.set(code, {
        clientId: get('client_id'),
        redirectUri,
        challenge: get('code_challenge'),
        resource: searchParams.get('resource'),
      })
      back.searchParams.set('code', code)
    }
    response.writeHead(302, { location: back.href }).end()
  }

  function token(_request: IncomingMessage, response: ServerResponse, form: URLSearchParams) {
    if (behaviour.isBroken) return void response.writeHead(503).end('out of order')
    const client = clients.get(form.get('client_id') ?? '')
    if (client === undefined || client.secret !== form.get('client_secret')) return invalid(response, 'invalid_client')
    if (form.get('grant_type') === 'refresh_token') {
      if (!refreshTokens.delete(form.get('refresh_token') ?? '')) return invalid(response, 'invalid_grant')
      return give(response)
    }
    const code = codes.get(form.get('code') ?? '')
    codes.delete(form.get('code') ?? '')
    const challenge = createHash('sha256')
      .update(form.get('code_verifier') ?? '')
      .digest('base64url')
    const fits =
      code?.challenge === challenge &&
      code.redirectUri === form.get('redirect_uri') &&
      code.clientId === form.get('client_id')
    return fits ? give(response) : invalid(response, 'invalid_grant')
  }

  function give(response: ServerResponse) {
    const access_token = `planted-access-${randomUUID()}`
    const refresh_token = `planted-refresh-${randomUUID()}`
    accessTokens.add(access_token)
    refreshTokens.add(refresh_token)
    json(response, 200, { access_token, refresh_token, token_type: 'Bearer', expires_in: behaviour.expiresIn })
  }

  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  const base = `http://127.0.0.1:${(http.address() as AddressInfo).port}`
  return {
    url: base,
    behaviour,
    seen,
    accessTokens,
    count: (line: string) => seen.filter((one) => one === line).length,
    /** Access tokens are worth nothing from now on. */
    revokeAccess: () => accessTokens.clear(),
    revokeAll() {
      accessTokens.clear()
      refreshTokens.clear()
    },
    /** Answers a request to an MCP server that has no valid token; true when it did. */
    guard(request: IncomingMessage, response: ServerResponse, resource: string): boolean {
      if (request.url?.startsWith('/.well-known/oauth-protected-resource')) {
        json(response, 200, { resource, authorization_servers: [base] })
        return true
      }
      const given = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1]
      if (given !== undefined && accessTokens.has(given)) return false
      const metadata = new URL('/.well-known/oauth-protected-resource/mcp', resource)
      response.writeHead(401, { 'www-authenticate': `Bearer resource_metadata="${metadata}"` }).end()
      return true
    },
    async [Symbol.asyncDispose]() {
      http.closeAllConnections()
      await new Promise((resolve) => http.close(resolve))
    },
  }
}
export type OauthServer = Awaited<ReturnType<typeof startOauthServer>>
