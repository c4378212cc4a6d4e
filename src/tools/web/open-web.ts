import type { AllowedHosts } from '#platform/allowed-hosts.ts'
import { PageFetcher } from './page-fetcher.ts'
import { WebSearch } from './web-search.ts'

/** Characters of a page that are given, with its title and note below the limit of a tool's result. */
const MAX_PAGE_CHARACTERS = 40_000

/** The settings that concern the web, under the names that they have in the configuration. */
interface WebSettings {
  readonly fetchAddresses: 'public' | 'any'
  readonly fetchTimeoutMs: number
  readonly fetchMaxBytes: number
  readonly exaApiKey: string | undefined
  readonly exaBaseUrl: string
  readonly tavilyApiKey: string | undefined
  readonly tavilyBaseUrl: string
  readonly braveSearchApiKey: string | undefined
  readonly braveSearchBaseUrl: string
}

interface Web extends AsyncDisposable {
  pages: PageFetcher
  search: WebSearch
}

/** What the built-in tools reach the web with. `allowed` are hosts that pages may come from although they are not public. */
export function openWeb(settings: WebSettings, allowed: AllowedHosts, version: string): Web {
  const search = new WebSearch({
    timeoutMs: settings.fetchTimeoutMs,
    keys: {
      EXA_API_KEY: settings.exaApiKey,
      TAVILY_API_KEY: settings.tavilyApiKey,
      BRAVE_SEARCH_API_KEY: settings.braveSearchApiKey,
    },
    baseUrls: {
      EXA_API_KEY: settings.exaBaseUrl,
      TAVILY_API_KEY: settings.tavilyBaseUrl,
      BRAVE_SEARCH_API_KEY: settings.braveSearchBaseUrl,
    },
  })
  const pages = new PageFetcher({
    timeoutMs: settings.fetchTimeoutMs,
    maxBytes: settings.fetchMaxBytes,
    maxCharacters: MAX_PAGE_CHARACTERS,
    allowsPrivate: settings.fetchAddresses === 'any',
    allowed,
    version,
  })
  return { pages, search, [Symbol.asyncDispose]: () => search[Symbol.asyncDispose]() }
}
