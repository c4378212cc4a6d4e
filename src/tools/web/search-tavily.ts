import { listOf, present, type SearchProvider, type SearchResult, textOf } from './search-query.ts'

const MAX_RESULTS = 20
/** Characters of a page's text; whole pages do not fit into a context. */
const MAX_TEXT = 10_000

const COUNTRY_NAMES = new Intl.DisplayNames(['en'], { type: 'region' })

/** https://docs.tavily.com/documentation/api-reference/endpoint/search */
export const tavily: SearchProvider = {
  name: 'Tavily',
  variable: 'TAVILY_API_KEY',
  defaultUrl: 'https://api.tavily.com',
  toRequest(query, key) {
    const topic = query.category === 'news' ? 'news' : query.category === 'financial report' ? 'finance' : 'general'
    const country = query.country === undefined ? undefined : COUNTRY_NAMES.of(query.country)?.toLowerCase()
    const isKind = query.category !== undefined && topic === 'general'
    return {
      path: '/search',
      method: 'POST',
      headers: { authorization: `Bearer ${key}` },
      body: present({
        query: query.query,
        topic,
        max_results: Math.min(query.count, MAX_RESULTS),
        include_raw_content: query.includesText ? 'markdown' : undefined,
        include_domains: query.includeDomains.length > 0 ? query.includeDomains : undefined,
        exclude_domains: query.excludeDomains.length > 0 ? query.excludeDomains : undefined,
        start_date: query.start?.toISOString().slice(0, 10),
        end_date: query.end?.toISOString().slice(0, 10),
        // it is known for the general topic only
        country: topic === 'general' ? country : undefined,
      }),
      ...(isKind ? { note: `Tavily knows no category "${query.category}", so all kinds of pages were searched.` } : {}),
    }
  },
  toResults: (answer) =>
    listOf(answer, 'results').map((result) => {
      const content = textOf(result, 'content')
      return present<SearchResult>({
        title: textOf(result, 'title') ?? '',
        url: textOf(result, 'url') ?? '',
        published_date: textOf(result, 'published_date'),
        highlights: content === undefined ? undefined : [content],
        text: textOf(result, 'raw_content')?.slice(0, MAX_TEXT).toWellFormed(),
      })
    }),
  problemOf: (answer) =>
    textOf(answer, 'detail', 'error') ??
    textOf(answer, 'detail') ??
    textOf(answer, 'error') ??
    textOf(answer, 'message'),
}
