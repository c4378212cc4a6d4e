import { Agent, fetch, type Response } from 'undici'
import { errorMessage } from '#platform/errors.ts'
import { findForbiddenAddress, guardedLookup, type Resolve } from '#platform/guarded-lookup.ts'
import { addressOfHost, isPublicAddress } from '#platform/public-address.ts'
import { isListed, toHostName } from '#tools/sandbox/network/resolve-for-tool.ts'
import type { NetworkPolicy } from '#tools/sandbox/tool-runner.ts'

export interface FetchRequest {
  id: number
  url: string
  method: string
  headers: [string, string][]
  /** Base64. */
  body: string | null
  redirect: 'follow' | 'error' | 'manual'
}

/** JSON for the runner: an answer, or why there is none. */
export type FetchAnswer =
  | { id: number; error: string }
  | {
      id: number
      status: number
      statusText: string
      headers: [string, string][]
      url: string
      redirected: boolean
      /** Base64. */
      body: string
    }

const MAX_RESPONSE_BYTES = 16 * 1024 * 1024
const MAX_REDIRECTS = 10
const MAX_REQUESTS = 1_000
const MAX_AT_ONCE = 16
const CONNECT_TIMEOUT_MS = 10_000
/** Fetch's statuses of a redirect. */
const REDIRECTS = new Set([301, 302, 303, 307, 308])
/** What says how the connection is used, or which host is meant: not for the code to decide. */
const OWN_HEADERS = new Set(
  'host connection content-length transfer-encoding keep-alive upgrade expect te trailer accept-encoding'.split(' '),
)
const CREDENTIALS = new Set(['authorization', 'cookie', 'proxy-authorization'])

class Refused extends Error {}

export interface FetchBrokerOptions {
  allowsPrivate: boolean
  /** Instead of the system's resolver. */
  resolve?: Resolve | undefined
}

/**
 * Makes the requests of code that has no network of its own. Deno's permissions could not be trusted with it: its deny-list takes
 * no IPv6 networks, and an allowed `host:port` wins over a denied `host` (2.9.6). Here the address is checked when the connection is
 * made, at every redirect, and it is the checked one that is connected to.
 */
export class FetchBroker implements AsyncDisposable {
  readonly #allowsPrivate: boolean
  readonly #agent: Agent

  constructor({ allowsPrivate, resolve }: FetchBrokerOptions) {
    this.#allowsPrivate = allowsPrivate
    const lookup = guardedLookup({ isAllowed: (address) => this.#isAllowed(address), refusal, resolve })
    this.#agent = new Agent({
      connect: { timeout: CONNECT_TIMEOUT_MS, lookup },
      pipelining: 1,
      keepAliveTimeout: 4_000,
    })
  }

  /** The requests of one call; `signal` ends those that are under way. */
  open(policy: NetworkPolicy, signal: AbortSignal): (request: FetchRequest) => Promise<FetchAnswer> {
    let count = 0
    let running = 0
    return async (request) => {
      count += 1
      if (count > MAX_REQUESTS) return refuse(request, `one call makes at most ${MAX_REQUESTS} requests`)
      if (running >= MAX_AT_ONCE) return refuse(request, `one call makes at most ${MAX_AT_ONCE} requests at once`)
      running += 1
      try {
        return await this.#answer(request, policy, signal)
      } catch (error) {
        const forbidden = findForbiddenAddress(error)
        return refuse(request, error instanceof Refused ? error.message : (forbidden?.message ?? reasonOf(error)))
      } finally {
        running -= 1
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#agent.destroy()
  }

  async #answer(request: FetchRequest, policy: NetworkPolicy, signal: AbortSignal): Promise<FetchAnswer> {
    let url = this.#check(request.url, policy)
    let { method } = request
    let body = request.body === null ? null : Buffer.from(request.body, 'base64')
    let headers = request.headers.filter(([name]) => !OWN_HEADERS.has(name.toLowerCase()))
    for (let hops = 0; ; hops += 1) {
      const response = await fetch(url, { method, headers, body, redirect: 'manual', dispatcher: this.#agent, signal })
      const location = response.headers.get('location')
      const isRedirect = REDIRECTS.has(response.status) && location !== null && request.redirect !== 'manual'
      if (!isRedirect) return await toAnswer(request.id, response, url, hops)
      await response.body?.cancel()
      if (request.redirect === 'error') throw new Refused(`${url.href} redirects, which the request does not follow`)
      if (hops === MAX_REDIRECTS) throw new Refused(`${request.url} redirects more than ${MAX_REDIRECTS} times`)
      const next = this.#check(URL.parse(location, url.href)?.href ?? location, policy)
      if (next.origin !== url.origin) headers = headers.filter(([name]) => !CREDENTIALS.has(name.toLowerCase()))
      const becomesGet = response.status === 303 ? method !== 'HEAD' : response.status < 303 && method === 'POST'
      if (becomesGet) {
        method = 'GET'
        body = null
        headers = headers.filter(([name]) => !/^content-/i.test(name))
      }
      url = next
    }
  }

  #check(address: string, policy: NetworkPolicy): URL {
    const url = URL.parse(address)
    if (url === null || !/^https?:$/.test(url.protocol)) throw new Refused('only http and https URLs are fetched')
    const name = toHostName(addressOfHost(url) ?? url.hostname)
    if (policy.kind === 'none') throw new Refused('this tool has no network access')
    if (policy.kind === 'hosts' && !isListed(policy.hosts, name, portOf(url))) {
      throw new Refused(
        `${url.host} is none of the hosts that this tool may connect to. To allow it, add it to metadata_.network of the tool.`,
      )
    }
    // an address that is written out is connected to without a look-up
    const literal = addressOfHost(url)
    if (literal !== undefined && !this.#isAllowed(literal)) throw new Refused(refusal(literal))
    return url
  }

  #isAllowed(address: string): boolean {
    return this.#allowsPrivate || isPublicAddress(address)
  }
}

const refusal = (address: string): string => `${address} is not on the public internet; tools may not connect to it.`

function portOf({ port, protocol }: URL): number {
  if (port !== '') return Number(port)
  return protocol === 'https:' ? 443 : 80
}

async function toAnswer(id: number, response: Response, url: URL, hops: number): Promise<FetchAnswer> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of response.body ?? []) {
    length += chunk.length
    if (length > MAX_RESPONSE_BYTES) throw new Refused(`${url.href} answers with more than ${MAX_RESPONSE_BYTES} bytes`)
    chunks.push(chunk)
  }
  // what was packed is unpacked
  const headers = [...response.headers].filter(
    ([name]) => !/^(?:content-encoding|content-length|transfer-encoding)$/.test(name),
  )
  const { status, statusText } = response
  const body = Buffer.concat(chunks).toString('base64')
  return { id, status, statusText, headers, url: url.href, redirected: hops > 0, body }
}

const refuse = ({ id }: FetchRequest, error: string): FetchAnswer => ({ id, error })

/** `fetch failed` says nothing: its cause does. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined
  return cause === undefined ? errorMessage(error) : `fetch failed: ${errorMessage(cause)}`
}
