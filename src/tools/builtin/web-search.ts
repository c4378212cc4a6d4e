import { type BuiltinTool, failure, success } from '#tools/tool.ts'
import { SEARCH_CATEGORIES } from '#tools/web/search-query.ts'
import { parseDate } from './parse-date.ts'

const DEFAULT_RESULTS = 10
const MAX_RESULTS = 100

export const webSearch: BuiltinTool = {
  name: 'web_search',
  description:
    'Search the web. Gives titles, addresses and the passages that fit best; read a whole page with fetch_webpage. Examples: web_search("Tesla Q1 2025 earnings", num_results=5, category="financial report"), web_search("large language models", category="research paper", include_domains=["arxiv.org"]).',
  toolType: 'letta_builtin',
  durability: 'read',
  needsEnvironment: true,
  parameters: {
    type: 'object',
    properties: {
      query: { type: 'string', description: 'What to look for, as words or as a question.' },
      num_results: {
        type: 'integer',
        description: `How many results to give, 1 to ${MAX_RESULTS}; ${DEFAULT_RESULTS} by default.`,
      },
      category: { type: 'string', enum: SEARCH_CATEGORIES, description: 'Only content of this kind.' },
      include_text: {
        type: 'boolean',
        description: 'Whether to give the whole text of each page too. False by default: it is long.',
      },
      include_domains: {
        type: 'array',
        items: { type: 'string' },
        description: 'Only pages of these domains, such as "arxiv.org".',
      },
      exclude_domains: { type: 'array', items: { type: 'string' }, description: 'No pages of these domains.' },
      start_published_date: { type: 'string', description: 'Only content published from this ISO 8601 date on.' },
      end_published_date: { type: 'string', description: 'Only content published up to this ISO 8601 date.' },
      user_location: { type: 'string', description: 'Country of the user, as two letters such as "US".' },
    },
    required: ['query'],
  },
  async execute(args, { services, environment, signal }) {
    if (services?.search === undefined) return failure('The web cannot be searched from here.')
    const query = String(args.query).trim()
    if (query === '') return failure('query is empty: give words to look for.')
    const start = parseDate(args.start_published_date)
    const end = parseDate(args.end_published_date, true)
    if (start === 'invalid' || end === 'invalid') {
      return failure('start_published_date and end_published_date must be ISO 8601, for example 2026-01-31.')
    }
    const country = typeof args.user_location === 'string' ? args.user_location.trim().toUpperCase() : ''
    if (country !== '' && !/^[A-Z]{2}$/.test(country)) {
      return failure('user_location must be the two letters of a country, for example US.')
    }
    const count = Math.trunc(Number(args.num_results ?? DEFAULT_RESULTS)) || DEFAULT_RESULTS
    const answer = await services.search.search(
      {
        query,
        count: Math.min(Math.max(count, 1), MAX_RESULTS),
        category: SEARCH_CATEGORIES.find((name) => name === args.category),
        includesText: args.include_text === true,
        includeDomains: toDomains(args.include_domains),
        excludeDomains: toDomains(args.exclude_domains),
        start,
        end,
        country: country === '' ? undefined : country,
      },
      environment ?? {},
      signal,
    )
    return 'problem' in answer ? failure(answer.problem) : success(JSON.stringify(answer))
  },
}

/** Models write domains as addresses too. */
function toDomains(value: unknown): string[] {
  if (!Array.isArray(value)) return []
  return value
    .map((domain) =>
      String(domain)
        .trim()
        .replace(/^https?:\/\//i, '')
        .replace(/\/+$/, ''),
    )
    .filter(Boolean)
}
