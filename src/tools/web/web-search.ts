import { Agent, request } from 'undici'
import { errorMessage } from '#platform/errors.ts'
import { brave } from './search-brave.ts'
import { exa } from './search-exa.ts'
import type { SearchProvider, SearchQuery, SearchRequest, SearchResult } from './search-query.ts'
import { tavily } from './search-tavily.ts'

/** In the order in which they are taken where there are keys for several. */
const PROVIDERS: readonly SearchProvider[] = [exa, tavily, brave]
const MAX_ANSWER_BYTES = 8 * 1024 * 1024

/** By the name of the variable: `EXA_API_KEY`, `TAVILY_API_KEY`, `BRAVE_SEARCH_API_KEY`. */
export type SearchKeys = Readonly<Record<string, string | undefined>>

export interface WebSearchOptions {
  /** Of the server; an agent's own go before them. */
  keys: SearchKeys
  timeoutMs: number
  /** Instead of the providers' addresses, by the name of the variable of the key. */
  baseUrls?: Readonly<Record<string, string | undefined>>
}

export type SearchAnswer =
  | { query: string; provider: string; results: SearchResult[]; note?: string }
  /** For the model; never has a key in it. */
  | { problem: string }

/** Searches the web with whichever service there is a key for. */
export class WebSearch implements AsyncDisposable {
  readonly #options: WebSearchOptions
  readonly #agent = new Agent({ maxResponseSize: MAX_ANSWER_BYTES, connect: { timeout: 10_000 } })

  constructor(options: WebSearchOptions) {
    this.#options = options
  }

  /**
   * @param keys the agent's own
   * Throws only the reason of the signal.
   */
  async search(query: SearchQuery, keys: SearchKeys, signal?: AbortSignal): Promise<SearchAnswer> {
    const found = findKey(keys) ?? findKey(this.#options.keys)
    if (found === undefined) return { problem: NO_KEY }
    const { provider, key } = found
    if (!/^[\x21-\x7e]+$/.test(key)) {
      return { problem: `${provider.variable} has a space or a character that no key has. Set it anew.` }
    }
    const asked = provider.toRequest(query, key)
    const answer = await this.#ask(provider, asked, key, signal)
    if ('problem' in answer) return answer
    const results = provider
      .toResults(answer.body)
      .filter(({ url }) => url !== '')
      .slice(0, query.count)
    const { note } = asked
    return { query: query.query, provider: provider.name, results, ...(note === undefined ? {} : { note }) }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#agent.destroy()
  }

  async #ask(
    provider: SearchProvider,
    { path, method, headers, body }: SearchRequest,
    key: string,
    signal: AbortSignal | undefined,
  ): Promise<{ body: unknown } | { problem: string }> {
    const { timeoutMs, baseUrls } = this.#options
    const deadline = AbortSignal.timeout(timeoutMs)
    const base = (baseUrls?.[provider.variable] ?? provider.defaultUrl).replace(/\/+$/, '')
    const fail = (what: string) => ({ problem: `${provider.name} ${what.replaceAll(key, '***')}` })
    try {
      const response = await request(`${base}${path}`, {
        method,
        headers: { accept: 'application/json', ...(body ? { 'content-type': 'application/json' } : {}), ...headers },
        body: body === undefined ? null : JSON.stringify(body),
        dispatcher: this.#agent,
        signal: signal === undefined ? deadline : AbortSignal.any([signal, deadline]),
      })
      const text = await response.body.text()
      const value = parse(text)
      if (response.statusCode === 200 && value !== undefined) return { body: value }
      const said = (provider.problemOf(value) ?? text.slice(0, 200)).slice(0, 500).toWellFormed()
      return fail(`${explain(response.statusCode, provider)}${said.trim() === '' ? '' : ` It says: ${said}`}`)
    } catch (error) {
      if (signal?.aborted) throw signal.reason
      if (deadline.aborted) return fail(`gave no answer in ${timeoutMs / 1000} s. Try again later.`)
      return fail(`could not be reached: ${errorMessage(error)}.`)
    }
  }
}

const NO_KEY =
  'The web cannot be searched, because there is no key of a search service. Set EXA_API_KEY, TAVILY_API_KEY or BRAVE_SEARCH_API_KEY, as a setting of the server or as a secret of this agent.'

function findKey(keys: SearchKeys): { provider: SearchProvider; key: string } | undefined {
  for (const provider of PROVIDERS) {
    const key = keys[provider.variable]?.trim() ?? ''
    if (key !== '') return { provider, key }
  }
  return undefined
}

function explain(status: number, { variable }: SearchProvider): string {
  if (status === 401 || status === 403) return `refuses the key in ${variable} (${status}).`
  if (status === 402 || status === 432 || status === 433)
    return `has no credit left for the key in ${variable} (${status}).`
  if (status === 429) return 'gets too many searches at the moment (429). Try again later.'
  return `answered with status ${status}.`
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
