import { createHash, randomBytes } from 'node:crypto'
import type { AuthProvider, FetchLike } from '@modelcontextprotocol/client'
import { errorMessage } from '#platform/errors.ts'
import { newId } from '#platform/ids.ts'
import type { SecretBox } from '#platform/secret-box.ts'
import type { Queryable } from '#store/db.ts'
import {
  deleteMcpOauthTokens,
  endMcpOauthSession,
  findMcpOauthTokens,
  insertMcpOauthSession,
  type McpOauthSessionRow,
  saveMcpOauthTokens,
  takeMcpOauthSession,
} from '#store/mcp-servers/mcp-oauth-store.ts'
import type { GuardedFetch } from './guarded-fetch.ts'
import { McpFailure } from './mcp-failure.ts'
import type { McpTarget } from './mcp-target.ts'
import { OauthClient, type OauthState } from './oauth-client.ts'
import { withoutSecrets } from './without-secrets.ts'

/** A person has so long to allow a server. */
export const SESSION_MS = 10 * 60_000
/** A token that ends so soon is renewed before it is used. */
const RENEW_BEFORE_MS = 30_000
/** Other replicas renew tokens too. */
const CACHE_MS = 5_000
/** For one request to an authorization server. */
const REQUEST_MS = 20_000

interface AuthorizerDeps {
  db: Queryable
  secrets: SecretBox
  fetcher: GuardedFetch
}

/** Why an authorization did not come about; the message is for the person who was asked. */
export class AuthorizationFailed extends Error {}

/** Authorizations by OAuth 2.1: begun for a person, ended by the browser's way back at any replica, renewed when they end. */
export class McpAuthorizer {
  readonly #deps: AuthorizerDeps
  readonly #cache = new Map<string, { state: OauthState; readAtMs: number }>()
  readonly #renewals = new Map<string, Promise<OauthState>>()

  constructor(deps: AuthorizerDeps) {
    this.#deps = deps
  }

  /** What the transport of a server asks for tokens; undefined for servers that have another credential. */
  providerFor(target: McpTarget): AuthProvider | undefined {
    if (!target.mayUseOauth) return undefined
    return {
      token: async () => {
        const state = await this.#current(target)
        return state.tokens?.access_token
      },
      onUnauthorized: (context) => this.#renewAfterRefusal(target, context),
    }
  }

  /** Prepares an authorization that a person has to allow. Throws AuthorizationFailed. */
  async begin(
    target: McpTarget,
    { redirectUrl, userId }: { redirectUrl: string; userId: string },
  ): Promise<{ sessionId: string; url: string }> {
    const { endpoint, organizationId, serverId } = target
    if (endpoint.type === 'stdio' || target.storedUrl === null)
      throw new AuthorizationFailed('OAuth is for servers with an address')
    const state = `${organizationId}.${randomBytes(32).toString('base64url')}`
    const client = new OauthClient({ redirectUrl }, state)
    await this.#authorize(client, target, { serverUrl: endpoint.url })
    const { authorizationUrl } = client
    if (authorizationUrl === undefined)
      throw new AuthorizationFailed('the authorization server named no address to go to')
    if (!/^https?:$/.test(authorizationUrl.protocol)) {
      throw new AuthorizationFailed('the authorization server named an address that is no web page')
    }
    const sessionId = newId('mcp-oauth')
    await insertMcpOauthSession(this.#deps.db, organizationId, {
      id: sessionId,
      mcp_server_id: serverId,
      server_url: target.storedUrl,
      stateHash: hashOf(state),
      sealed: this.#seal(client.known, organizationId, `mcp_oauth_sessions ${sessionId}`),
      userId,
      lifetimeMs: SESSION_MS,
    })
    return { sessionId, url: authorizationUrl.href }
  }

  /**
   * Takes the code that a browser brings and gets tokens for it. The identity is that of the state alone, which is good once. Throws
   * AuthorizationFailed.
   */
  async finish(parameters: URLSearchParams): Promise<{ serverId: string; serverUrl: string }> {
    const state = parameters.get('state') ?? ''
    const organizationId = state.slice(0, state.lastIndexOf('.'))
    const session =
      organizationId === '' ? undefined : await takeMcpOauthSession(this.#deps.db, organizationId, hashOf(state))
    if (session === undefined) {
      throw new AuthorizationFailed(
        'This authorization is not known, was used already, or took more than 10 minutes. Begin it again.',
      )
    }
    try {
      await this.#exchange(organizationId, session, parameters)
      await endMcpOauthSession(this.#deps.db, organizationId, session.id, { status: 'authorized', error: null })
      return { serverId: session.mcp_server_id, serverUrl: session.server_url }
    } catch (error) {
      const text = error instanceof AuthorizationFailed ? error.message : 'The authorization failed in this server.'
      await endMcpOauthSession(this.#deps.db, organizationId, session.id, { status: 'failed', error: text })
      throw error
    }
  }

  /** Reads tokens anew for the next request. */
  forget(organizationId: string, serverId: string): void {
    const prefix = `${organizationId} ${serverId} `
    for (const key of this.#cache.keys()) if (key.startsWith(prefix)) this.#cache.delete(key)
  }

  async #exchange(organizationId: string, session: McpOauthSessionRow, parameters: URLSearchParams): Promise<void> {
    const known = this.#open(session.sealed, organizationId, `mcp_oauth_sessions ${session.id}`)
    const code = parameters.get('code')
    const refusal = parameters.get('error')
    // both come from outside: nothing of them is shown but what has the form of a code
    if (refusal !== null)
      throw new AuthorizationFailed(`It was not allowed: ${/^[\w-]{1,60}$/.test(refusal) ? refusal : 'error'}.`)
    if (code === null) throw new AuthorizationFailed('The way back had no code.')
    const client = new OauthClient(known)
    const iss = parameters.get('iss')
    const options = { serverUrl: session.server_url, authorizationCode: code, ...(iss !== null && { iss }) }
    await this.#authorize(client, { secrets: [code, known.codeVerifier ?? ''].filter(Boolean) }, options)
    const { codeVerifier: _, ...state } = client.known
    if (state.tokens === undefined) throw new AuthorizationFailed('The authorization server gave no token.')
    if (!(await this.#save(organizationId, session.mcp_server_id, session.server_url, state))) {
      throw new AuthorizationFailed('The MCP server was changed or deleted meanwhile. Begin again.')
    }
  }

  /** The state as it is stored, renewed when its token is about to end; empty where nobody has allowed anything. */
  async #current(target: McpTarget): Promise<OauthState> {
    const state = await this.#read(target, CACHE_MS)
    const { expiresAtMs, tokens } = state
    const isEnding = expiresAtMs !== undefined && expiresAtMs < Date.now() + RENEW_BEFORE_MS
    if (!isEnding || tokens?.refresh_token === undefined) return state
    return this.#renew(target, state).catch(() => state)
  }

  /** The server refuses the token: another replica may have renewed it, else it is renewed here. */
  async #renewAfterRefusal(target: McpTarget, { response }: { response: Response }): Promise<void> {
    const used = (await this.#read(target, CACHE_MS)).tokens?.access_token
    const state = await this.#read(target, 0)
    if (state.tokens !== undefined && state.tokens.access_token !== used) return
    if (state.tokens?.refresh_token === undefined) throw needsAuthorization(target, response.status)
    await this.#renew(target, state)
  }

  #renew(target: McpTarget, state: OauthState): Promise<OauthState> {
    const key = cacheKey(target)
    const running = this.#renewals.get(key) ?? this.#renewNow(target, state).finally(() => this.#renewals.delete(key))
    this.#renewals.set(key, running)
    return running
  }

  async #renewNow(target: McpTarget, state: OauthState): Promise<OauthState> {
    const { organizationId, serverId, storedUrl } = target
    const client = new OauthClient(state)
    const failure = await this.#refresh(client, target).then(
      () => undefined,
      (error: unknown) => error,
    )
    if (failure === undefined && storedUrl !== null) {
      await this.#save(organizationId, serverId, storedUrl, client.known)
      return client.known
    }
    // refresh tokens can be good once: another replica may have been faster
    const stored = await this.#read(target, 0)
    if (stored.tokens !== undefined && stored.tokens.access_token !== state.tokens?.access_token) return stored
    if (!isFinal(failure)) {
      const reason = withoutSecrets(deepMessage(failure), secretsOf(state)).slice(0, MAX_WORDS)
      throw new McpFailure(
        'refused',
        `MCP server '${target.serverName}' was not asked: its token has ended and could not be renewed: ${reason}. Try again later.`,
      )
    }
    await deleteMcpOauthTokens(this.#deps.db, organizationId, serverId)
    this.forget(organizationId, serverId)
    throw needsAuthorization(target, 401)
  }

  /** New tokens for the old ones. Throws an error with OAuth's `code` where the authorization server refuses. */
  async #refresh(client: OauthClient, { endpoint }: McpTarget): Promise<void> {
    const { tokens, discovery, client: clientInformation } = client.known
    if (endpoint.type === 'stdio' || discovery === undefined || clientInformation === undefined)
      throw new Error('nothing is known of how')
    if (tokens?.refresh_token === undefined) throw new Error('there is no refresh token')
    const { refreshAuthorization, selectResourceURL } = await loadLibrary()
    const resource = await selectResourceURL(endpoint.url, client, discovery.resourceMetadata)
    const renewed = await refreshAuthorization(discovery.authorizationServerUrl, {
      ...(discovery.authorizationServerMetadata !== undefined && { metadata: discovery.authorizationServerMetadata }),
      clientInformation,
      refreshToken: tokens.refresh_token,
      ...(resource !== undefined && { resource }),
      fetchFn: this.#fetch(),
    })
    client.saveTokens({ ...tokens, ...renewed })
  }

  #fetch(): FetchLike {
    const fetch = this.#deps.fetcher.for()
    return (url, init) => fetch(url, { ...init, signal: AbortSignal.timeout(REQUEST_MS) })
  }

  /** One run of the library's flow, with every address guarded. Throws AuthorizationFailed without secrets. */
  async #authorize(
    client: OauthClient,
    target: Pick<McpTarget, 'secrets'>,
    options: { serverUrl: URL | string; authorizationCode?: string; iss?: string },
  ): Promise<void> {
    const { auth } = await loadLibrary()
    try {
      await auth(client, { ...options, fetchFn: this.#fetch() })
    } catch (error) {
      const secrets = [...target.secrets, ...secretsOf(client.known)]
      throw new AuthorizationFailed(
        `The authorization failed: ${withoutSecrets(deepMessage(error), secrets).slice(0, MAX_WORDS)}`,
      )
    }
  }

  async #read(target: McpTarget, maxAgeMs: number): Promise<OauthState> {
    const { organizationId, serverId, storedUrl } = target
    const cached = this.#cache.get(cacheKey(target))
    if (cached !== undefined && Date.now() - cached.readAtMs < maxAgeMs) return cached.state
    const row = await findMcpOauthTokens(this.#deps.db, organizationId, serverId)
    // tokens of another address are of no use here, and must not go there
    const state =
      row?.server_url === storedUrl ? this.#open(row?.sealed ?? '', organizationId, tokensPlace(serverId)) : {}
    this.#remember(cacheKey(target), state)
    return state
  }

  async #save(organizationId: string, serverId: string, serverUrl: string, state: OauthState): Promise<boolean> {
    const sealed = this.#seal(state, organizationId, tokensPlace(serverId))
    const isSaved = await saveMcpOauthTokens(this.#deps.db, organizationId, serverId, { server_url: serverUrl, sealed })
    if (isSaved) this.#remember(cacheKey({ organizationId, serverId, storedUrl: serverUrl }), state)
    return isSaved
  }

  #remember(key: string, state: OauthState): void {
    this.#cache.set(key, { state, readAtMs: Date.now() })
    const oldest = this.#cache.keys().next()
    if (this.#cache.size > MAX_CACHED && !oldest.done) this.#cache.delete(oldest.value)
  }

  #seal(state: OauthState, organizationId: string, place: string): string {
    return this.#deps.secrets.seal(JSON.stringify(state), { organizationId, place })
  }

  #open(sealed: string, organizationId: string, place: string): OauthState {
    return JSON.parse(this.#deps.secrets.open(sealed, { organizationId, place })) as OauthState
  }
}

/** It is not small, and most servers never need it. */
const loadLibrary = () => import('@modelcontextprotocol/client')

/** True where an authorization server says that it gives nothing more for what it gave; not where it is out of order. */
const isFinal = (error: unknown): boolean =>
  error instanceof Error &&
  'code' in error &&
  ['invalid_grant', 'invalid_client', 'unauthorized_client'].includes(String(error.code))

const MAX_CACHED = 1_000
/** Characters of an authorization server's own words that are repeated. */
const MAX_WORDS = 500

const secretsOf = ({ tokens, client }: OauthState): string[] =>
  [tokens?.access_token, tokens?.refresh_token, client?.client_secret].filter((text) => text !== undefined)

/** With the address: what is remembered for one must not be sent to another, whoever changed it and where. */
const cacheKey = ({
  organizationId,
  serverId,
  storedUrl,
}: Pick<McpTarget, 'organizationId' | 'serverId' | 'storedUrl'>): string => `${organizationId} ${serverId} ${storedUrl}`
const tokensPlace = (serverId: string): string => `mcp_oauth_tokens ${serverId}`
const hashOf = (state: string): string => createHash('sha256').update(state).digest('base64url')

function needsAuthorization({ serverName, serverId }: McpTarget, status: number): McpFailure {
  return new McpFailure(
    'authorization',
    `MCP server '${serverName}' wants an authorization (HTTP ${status}), which a person has to give: open GET /v1/mcp-servers/connect/${serverId} and follow the address in it.`,
  )
}

function deepMessage(error: unknown): string {
  const inner = error instanceof Error && error.cause instanceof Error ? `: ${error.cause.message}` : ''
  return `${errorMessage(error)}${inner}`
}
