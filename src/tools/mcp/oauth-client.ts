import type {
  OAuthClientMetadata,
  OAuthClientProvider,
  OAuthDiscoveryState,
  StoredOAuthClientInformation,
  StoredOAuthTokens,
} from '@modelcontextprotocol/client'

/** What is known of the authorization at one server; sealed wherever it is stored. */
export interface OauthState {
  tokens?: StoredOAuthTokens | undefined
  /** When the access token ends, in ms since the epoch; undefined where the server did not say. */
  expiresAtMs?: number | undefined
  client?: StoredOAuthClientInformation | undefined
  discovery?: OAuthDiscoveryState | undefined
  codeVerifier?: string | undefined
  redirectUrl?: string | undefined
}

/** The library's view of an authorization: it keeps everything in `known`, and whoever made it stores that. */
export class OauthClient implements OAuthClientProvider {
  readonly known: OauthState
  /** Where a person has to go; undefined while nobody has to. */
  authorizationUrl: URL | undefined
  readonly #stateParameter: string | undefined

  constructor(known: OauthState, stateParameter?: string) {
    this.known = { ...known }
    this.#stateParameter = stateParameter
  }

  get redirectUrl(): string | undefined {
    return this.known.redirectUrl
  }

  get clientMetadata(): OAuthClientMetadata {
    return {
      client_name: 'Perdure',
      redirect_uris: this.known.redirectUrl === undefined ? [] : [this.known.redirectUrl],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
    }
  }

  state(): string {
    return this.#stateParameter ?? ''
  }

  clientInformation(): StoredOAuthClientInformation | undefined {
    return this.known.client
  }

  saveClientInformation(client: StoredOAuthClientInformation): void {
    this.known.client = client
  }

  tokens(): StoredOAuthTokens | undefined {
    return this.known.tokens
  }

  saveTokens(tokens: StoredOAuthTokens): void {
    // a server that gives no new refresh token means the old one
    const refresh_token = tokens.refresh_token ?? this.known.tokens?.refresh_token
    this.known.tokens = refresh_token === undefined ? tokens : { ...tokens, refresh_token }
    this.known.expiresAtMs = tokens.expires_in === undefined ? undefined : Date.now() + tokens.expires_in * 1_000
  }

  redirectToAuthorization(url: URL): void {
    this.authorizationUrl = url
  }

  saveCodeVerifier(codeVerifier: string): void {
    this.known.codeVerifier = codeVerifier
  }

  codeVerifier(): string {
    if (this.known.codeVerifier === undefined) throw new Error('no authorization is under way')
    return this.known.codeVerifier
  }

  saveDiscoveryState(discovery: OAuthDiscoveryState): void {
    this.known.discovery = discovery
  }

  discoveryState(): OAuthDiscoveryState | undefined {
    return this.known.discovery
  }

  invalidateCredentials(scope: 'all' | 'client' | 'tokens' | 'verifier' | 'discovery'): void {
    if (scope === 'all' || scope === 'tokens') this.known.tokens = this.known.expiresAtMs = undefined
    if (scope === 'all' || scope === 'client') this.known.client = undefined
    if (scope === 'all' || scope === 'verifier') this.known.codeVerifier = undefined
    if (scope === 'all' || scope === 'discovery') this.known.discovery = undefined
  }
}
