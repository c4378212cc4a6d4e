import { listOf, present, type SearchProvider, type SearchQuery, type SearchResult, textOf } from './search-query.ts'

const MAX_RESULTS = 20
/** Of a query; longer ones are refused. */
const MAX_QUERY_CHARACTERS = 400

/** https://api-dashboard.search.brave.com/app/documentation/web-search/query */
export const brave: SearchProvider = {
  name: 'Brave Search',
  variable: 'BRAVE_SEARCH_API_KEY',
  defaultUrl: 'https://api.search.brave.com',
  toRequest(query, key) {
    const parameters = new URLSearchParams(
      present<Record<string, string>>({
        q: toText(query),
        count: String(Math.min(query.count, MAX_RESULTS)),
        country: query.country,
        freshness: toFreshness(query),
        result_filter: query.category === 'news' ? 'news,web' : 'web',
        extra_snippets: 'true',
        text_decorations: 'false',
      }),
    )
    const unknown = [
      ...(query.category !== undefined && query.category !== 'news' ? [`category "${query.category}"`] : []),
      ...(query.includesText ? ['include_text (read pages with fetch_webpage)'] : []),
    ]
    return {
      path: `/res/v1/web/search?${parameters}`,
      method: 'GET',
      headers: { 'x-subscription-token': key },
      ...(unknown.length > 0 ? { note: `Brave Search knows no ${unknown.join(' and no ')}; it was left out.` } : {}),
    }
  },
  toResults: (answer) =>
    [...listOf(answer, 'web', 'results'), ...listOf(answer, 'news', 'results')].map((result) => {
      const snippets = [textOf(result, 'description'), ...listOf(result, 'extra_snippets')]
      const highlights = snippets.filter((text) => typeof text === 'string')
      return present<SearchResult>({
        title: textOf(result, 'title') ?? '',
        url: textOf(result, 'url') ?? '',
        published_date: textOf(result, 'page_age') ?? textOf(result, 'age'),
        highlights: highlights.length > 0 ? highlights : undefined,
      })
    }),
  problemOf: (answer) => textOf(answer, 'error', 'detail') ?? textOf(answer, 'message'),
}

/** Domains are operators in the query. */
function toText({ query, includeDomains, excludeDomains }: SearchQuery): string {
  const sites = includeDomains.map((domain) => `site:${domain}`).join(' OR ')
  const operators = [
    sites.includes(' OR ') ? `(${sites})` : sites,
    ...excludeDomains.map((domain) => `-site:${domain}`),
  ]
  const suffix = operators.filter(Boolean).join(' ')
  return `${query.slice(0, Math.max(MAX_QUERY_CHARACTERS - suffix.length - 1, 50)).toWellFormed()} ${suffix}`.trim()
}

function toFreshness({ start, end }: SearchQuery): string | undefined {
  if (start === undefined && end === undefined) return undefined
  const day = (date: Date) => date.toISOString().slice(0, 10)
  return `${day(start ?? new Date('1990-01-01'))}to${day(end ?? new Date())}`
}
