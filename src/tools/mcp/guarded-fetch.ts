import type { FetchLike } from '@modelcontextprotocol/client'
import { Agent, fetch } from 'undici'
import type { AllowedHosts } from '#platform/allowed-hosts.ts'
import { ForbiddenAddress, guardedLookup, type Resolve } from '#platform/guarded-lookup.ts'
import { findForbiddenPart, isAllowedAddress } from '#platform/public-url.ts'
import { limitBody } from './limit-body.ts'
import { currentExchange } from './mcp-exchange.ts'

const MAX_HEADER_BYTES = 64 * 1024
/** Short: of a socket that is kept longer nobody knows whether the server has closed it. */
const KEEP_ALIVE_MS = 4_000

export interface GuardOptions {
  /** False refuses what is neither on the public internet nor in `allowed`. */
  allowsPrivate: boolean
  allowed: AllowedHosts
  connectTimeoutMs: number
  maxResponseBytes: number
  /** Instead of the system's resolver. */
  resolve?: Resolve | undefined
}

/** What tells the two ways that a stream of answers can be used. */
export interface FetchUse {
  /** Of a connection whose only stream brings all answers (SSE): called when that stream is over. */
  onLost?: (error: Error) => void
  /** Streams that servers would send unasked are not opened: nobody reads them, and each is a socket. */
  refusesUnaskedStream?: boolean
}

/**
 * `fetch` to addresses that clients have chosen, which must not become their way into the server's own network: each address is checked
 * when it is connected to, also those of redirects, and bodies have a limit. Redirects are not followed here; the client library follows
 * those that stay within the origin, so that no credential goes to another.
 */
export class GuardedFetch implements AsyncDisposable {
  readonly #options: GuardOptions
  readonly #agent: Agent

  constructor(options: GuardOptions) {
    this.#options = options
    const isAllowed = (address: string, host: string) => isAllowedAddress(address, host, options)
    this.#agent = new Agent({
      connect: {
        timeout: options.connectTimeoutMs,
        lookup: guardedLookup({ isAllowed, refusal, resolve: options.resolve }),
      },
      allowH2: false,
      maxHeaderSize: MAX_HEADER_BYTES,
      keepAliveTimeout: KEEP_ALIVE_MS,
      pipelining: 1,
      // whoever waits has a time-out of its own, and streams are silent for long
      headersTimeout: 0,
      bodyTimeout: 0,
    })
  }

  /** A fetch for one connection. */
  for(use: FetchUse = {}): FetchLike {
    return async (input, init) => {
      const method = (init?.method ?? 'GET').toUpperCase()
      const headers = new Headers(init?.headers)
      if (
        use.refusesUnaskedStream &&
        method === 'GET' &&
        !headers.has('last-event-id') &&
        isEventStream(headers.get('accept'))
      ) {
        return new Response(null, { status: 405 })
      }
      const exchange = currentExchange.getStore()
      if (method === 'POST') exchange?.began()
      for (const [name, value] of Object.entries(exchange?.headers ?? {})) headers.set(name, value)
      try {
        return await this.#fetch(new URL(input), { ...init, method, headers }, use)
      } catch (error) {
        exchange?.faulted(error)
        throw error
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#agent.destroy()
  }

  /** What can be told before the name is looked up; an address that is written out is connected to without a look-up. */
  #refuseForbidden(url: URL): void {
    if (!/^https?:$/.test(url.protocol)) throw new ForbiddenAddress(`${url.protocol} is neither http: nor https:`)
    if (url.username !== '' || url.password !== '') throw new ForbiddenAddress('a URL with a user in it is not asked')
    const { allowsPrivate, allowed } = this.#options
    const problem = allowsPrivate ? undefined : findForbiddenPart(url, allowed)
    if (problem !== undefined) throw new ForbiddenAddress(`${problem}; ${ADVICE}`)
  }

  async #fetch(url: URL, init: RequestInit, use: FetchUse): Promise<Response> {
    this.#refuseForbidden(url)
    const redirect = init.redirect === 'error' ? 'error' : 'manual'
    const answer = await fetch(url, {
      method: init.method ?? 'GET',
      headers: [...new Headers(init.headers)],
      // the library sends texts and forms
      body: init.body == null ? null : String(init.body),
      signal: init.signal ?? null,
      redirect,
      dispatcher: this.#agent,
    })
    const { status, statusText } = answer
    const headers = new Headers([...answer.headers])
    if (answer.body === null) return new Response(null, { status, statusText, headers })
    const exchange = currentExchange.getStore()
    const isStream = isEventStream(headers.get('content-type'))
    if (isStream) exchange?.began()
    const body = limitBody(
      answer.body as ReadableStream<Uint8Array>,
      { maxBytes: this.#options.maxResponseBytes, isEventStream: isStream },
      {
        onTooLarge: (error) => {
          exchange?.fail(error)
          use.onLost?.(error)
        },
        onEnd: (hadIds) => {
          if (!isStream) return
          if (use.onLost !== undefined) use.onLost(new Error('its stream of events ended'))
          else exchange?.streamEnded(hadIds)
        },
      },
    )
    // these never have a body, and a Response refuses one
    return new Response([204, 205, 304].includes(status) ? null : body, { status, statusText, headers })
  }
}

const isEventStream = (type: string | null): boolean => /\btext\/event-stream\b/i.test(type ?? '')

const ADVICE = 'PERDURE_MCP_ALLOWED_HOSTS or PERDURE_MCP_ADDRESSES=any can allow it'

const refusal = (address: string): string => `${address} is not on the public internet; ${ADVICE}`
