import {
  fieldOf,
  listOf,
  present,
  type SearchCategory,
  type SearchProvider,
  type SearchResult,
  textOf,
} from './search-query.ts'

/** Characters of a page's text; whole pages do not fit into a context. */
const MAX_TEXT = 10_000

/** What became of V1's categories: Exa refuses `tweet` and has new names for two. */
const RENAMED: Partial<Record<SearchCategory, string | undefined>> = {
  'research paper': 'publication',
  'linkedin profile': 'people',
  tweet: undefined,
  pdf: undefined,
}

/** https://exa.ai/docs/reference/search */
export const exa: SearchProvider = {
  name: 'Exa',
  variable: 'EXA_API_KEY',
  defaultUrl: 'https://api.exa.ai',
  toRequest(query, key) {
    const { category } = query
    const known = category !== undefined && category in RENAMED ? RENAMED[category] : category
    return {
      path: '/search',
      method: 'POST',
      headers: { 'x-api-key': key },
      body: present({
        query: query.query,
        type: 'auto',
        numResults: query.count,
        category: known,
        includeDomains: query.includeDomains.length > 0 ? query.includeDomains : undefined,
        excludeDomains: query.excludeDomains.length > 0 ? query.excludeDomains : undefined,
        startPublishedDate: query.start?.toISOString(),
        endPublishedDate: query.end?.toISOString(),
        userLocation: query.country,
        contents: {
          highlights: true,
          summary: true,
          ...(query.includesText ? { text: { maxCharacters: MAX_TEXT } } : {}),
        },
      }),
      ...(category !== undefined && known === undefined
        ? { note: `Exa has no category "${category}" any more, so all kinds of pages were searched.` }
        : {}),
    }
  },
  toResults: (answer) =>
    listOf(answer, 'results').map((result) =>
      present<SearchResult>({
        title: textOf(result, 'title') ?? '',
        url: textOf(result, 'url') ?? '',
        published_date: textOf(result, 'publishedDate'),
        author: textOf(result, 'author'),
        summary: textOf(result, 'summary'),
        highlights: toHighlights(fieldOf(result, 'highlights')),
        text: textOf(result, 'text'),
      }),
    ),
  problemOf: (answer) => textOf(answer, 'error') ?? textOf(answer, 'message'),
}

function toHighlights(value: unknown): string[] | undefined {
  const texts = Array.isArray(value) ? value.filter((text) => typeof text === 'string') : []
  return texts.length > 0 ? texts : undefined
}
