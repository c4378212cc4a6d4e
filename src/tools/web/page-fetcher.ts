import { Agent, type Dispatcher, request } from 'undici'
import type { AllowedHosts } from '#platform/allowed-hosts.ts'
import { errorMessage } from '#platform/errors.ts'
import { findForbiddenAddress, guardedLookup, type Resolve } from '#platform/guarded-lookup.ts'
import { findForbiddenPart, isAllowedAddress } from '#platform/public-url.ts'
import { decodeText } from './decode-text.ts'
import { kindOfContent, parseContentType } from './page-content.ts'
import { type Body, readBody } from './read-body.ts'
import { readPage, UnreadablePage } from './read-page.ts'

const MAX_REDIRECTS = 5
const MAX_URL_CHARACTERS = 8_192
const MAX_HEADER_BYTES = 32 * 1024
const REDIRECTS = new Set([301, 302, 303, 307, 308])

export interface PageFetcherOptions {
  /** For everything, from the first look-up of a name to the end of the last answer. */
  timeoutMs: number
  /** Of a page only so much is read, unpacked; the rest is left out. */
  maxBytes: number
  /** Characters of a page's text that are given. */
  maxCharacters: number
  /** False refuses addresses that are not on the public internet. */
  allowsPrivate: boolean
  /** Hosts and networks that are allowed besides. */
  allowed: AllowedHosts
  version: string
  /** Instead of the system's resolver. */
  resolve?: Resolve
}

/** What stands at an address, or why nobody knows: a sentence for the model. */
export type PageAnswer =
  | { kind: 'page'; url: string; title: string; text: string; isCut: boolean }
  /** It must not be asked for; trying again does not help. */
  | { kind: 'refused'; problem: string }
  | { kind: 'failed'; problem: string }

/** Ends a fetch with its answer. */
class Ended extends Error {
  readonly answer: PageAnswer
  constructor(kind: 'refused' | 'failed', problem: string) {
    super(problem)
    this.answer = { kind, problem }
  }
}

/**
 * Fetches pages that a model has named, so it must not become anybody's way into the server's own network: every address is checked when
 * the connection is made, on every hop of a redirect, and it is the checked one that is connected to. Nothing of the server or of the agent
 * is sent along: no credentials, no cookies. Each fetch has connections of its own.
 */
export class PageFetcher {
  readonly #options: PageFetcherOptions

  constructor(options: PageFetcherOptions) {
    this.#options = options
  }

  /** Throws only the reason of the signal. */
  async fetch(address: string, signal?: AbortSignal): Promise<PageAnswer> {
    const { timeoutMs } = this.#options
    const deadline = AbortSignal.timeout(timeoutMs)
    const either = signal === undefined ? deadline : AbortSignal.any([signal, deadline])
    const agent = this.#openAgent()
    try {
      return await this.#follow(address, agent, either)
    } catch (error) {
      if (error instanceof Ended) return error.answer
      if (signal?.aborted) throw signal.reason
      const forbidden = findForbiddenAddress(error)
      if (forbidden !== undefined) return { kind: 'refused', problem: forbidden.message }
      if (deadline.aborted) return { kind: 'failed', problem: `${shorten(address)}: no page in ${timeoutMs / 1000} s.` }
      return { kind: 'failed', problem: `${shorten(address)} could not be read: ${errorMessage(error)}.` }
    } finally {
      await agent.destroy()
    }
  }

  async #follow(address: string, agent: Agent, signal: AbortSignal): Promise<PageAnswer> {
    let url = this.#check(address)
    for (let hops = 0; hops <= MAX_REDIRECTS; hops += 1) {
      const response = await this.#ask(url, agent, signal)
      const location = headerOf(response, 'location')
      if (!REDIRECTS.has(response.statusCode) || location === undefined) return this.#read(url, response, signal)
      drop(response)
      const next = URL.parse(location, url.href)
      url = this.#check(next === null ? location : next.href)
    }
    throw new Ended('failed', `${shorten(address)} leads on to more than ${MAX_REDIRECTS} other addresses.`)
  }

  /** Throws Ended for an address that must not be asked for. */
  #check(address: string): URL {
    const url = address.length > MAX_URL_CHARACTERS ? null : URL.parse(address)
    const shown = shorten(address)
    if (url === null || !/^https?:$/.test(url.protocol)) {
      throw new Ended('refused', `${shown} is not a URL that begins with https:// or http://.`)
    }
    if (url.username !== '' || url.password !== '') {
      throw new Ended('refused', 'A URL with a user or a password in it is not fetched.')
    }
    const problem = this.#findProblem(url)
    if (problem !== undefined) throw new Ended('refused', `${shown} is not fetched: ${problem}.`)
    return url
  }

  #findProblem(url: URL): string | undefined {
    const { allowsPrivate, allowed } = this.#options
    return allowsPrivate ? undefined : findForbiddenPart(url, allowed)
  }

  #ask(url: URL, agent: Agent, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
    return request(url, {
      method: 'GET',
      headers: {
        accept: 'text/html, application/xhtml+xml, text/markdown, text/plain;q=0.9, application/json;q=0.9, */*;q=0.5',
        'accept-encoding': 'gzip, deflate, br',
        'accept-language': 'en, *;q=0.5',
        'user-agent': `Mozilla/5.0 (compatible; perdure/${this.#options.version})`,
      },
      dispatcher: agent,
      signal,
    })
  }

  async #read(url: URL, response: Dispatcher.ResponseData, signal: AbortSignal): Promise<PageAnswer> {
    if (response.statusCode < 200 || response.statusCode > 299) {
      drop(response)
      throw new Ended('failed', `${shorten(url.href)} answered with status ${response.statusCode}.`)
    }
    const type = parseContentType(headerOf(response, 'content-type'))
    if (kindOfContent(type.name) === 'other') {
      drop(response)
      throw new Ended('failed', `${shorten(url.href)} is ${type.name}, and only pages of text can be read.`)
    }
    const { maxBytes, maxCharacters } = this.#options
    const body = await readBody(response.body, headerOf(response, 'content-encoding') ?? '', { maxBytes, signal })
    return this.#present(url, body, type, { maxCharacters, signal })
  }

  async #present(
    url: URL,
    { bytes, isCut }: Body,
    type: ReturnType<typeof parseContentType>,
    { maxCharacters, signal }: { maxCharacters: number; signal: AbortSignal },
  ): Promise<PageAnswer> {
    const text = decodeText(bytes, type.charset)
    const kind = kindOfContent(type.name, text)
    if (kind === 'other')
      throw new Ended('failed', `${shorten(url.href)} is no text, and only pages of text can be read.`)
    if (kind === 'text') {
      const isLong = text.length > maxCharacters
      return { kind: 'page', url: url.href, title: '', text: text.slice(0, maxCharacters), isCut: isCut || isLong }
    }
    try {
      const page = await readPage({ html: text, url: url.href, maxCharacters }, signal)
      const isLong = page.length > page.markdown.length
      return { kind: 'page', url: url.href, title: page.title, text: page.markdown, isCut: isCut || isLong }
    } catch (error) {
      if (!(error instanceof UnreadablePage)) throw error
      throw new Ended('failed', `${shorten(url.href)} is not a page that can be read: ${error.message}.`)
    }
  }

  #openAgent(): Agent {
    const { timeoutMs, resolve } = this.#options
    const isAllowed = (address: string, host: string) => isAllowedAddress(address, host, this.#options)
    return new Agent({
      connect: { timeout: timeoutMs, lookup: guardedLookup({ isAllowed, refusal, resolve }) },
      maxHeaderSize: MAX_HEADER_BYTES,
      pipelining: 1,
    })
  }
}

const refusal = (address: string): string =>
  `${address} is not a public address, and pages at others are not fetched (PERDURE_FETCH_ALLOWED_HOSTS, PERDURE_FETCH_ADDRESSES).`

function headerOf({ headers }: Dispatcher.ResponseData, name: string): string | undefined {
  const value = headers[name]
  return Array.isArray(value) ? value[0] : value
}

/** Nobody reads the rest; its connection goes with it. */
function drop({ body }: Dispatcher.ResponseData): void {
  body.on('error', () => {})
  body.destroy()
}

const shorten = (address: string): string =>
  address.length > 300 ? `${address.slice(0, 300).toWellFormed()}…` : address
