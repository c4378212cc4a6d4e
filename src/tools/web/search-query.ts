/** V1's categories, which are those that Exa had. */
export const SEARCH_CATEGORIES = [
  'company',
  'research paper',
  'news',
  'pdf',
  'github',
  'tweet',
  'personal site',
  'linkedin profile',
  'financial report',
] as const

export type SearchCategory = (typeof SEARCH_CATEGORIES)[number]

export interface SearchQuery {
  query: string
  /** 1 to 100; providers may give fewer. */
  count: number
  category: SearchCategory | undefined
  /** Whether the whole text of pages is wanted. */
  includesText: boolean
  includeDomains: readonly string[]
  excludeDomains: readonly string[]
  /** When it was published. */
  start: Date | undefined
  end: Date | undefined
  /** Two letters, upper case. */
  country: string | undefined
}

export interface SearchResult {
  title: string
  url: string
  published_date?: string
  author?: string
  summary?: string
  /** Passages that fit the query. */
  highlights?: string[]
  text?: string
}

/** What is asked of a provider. */
export interface SearchRequest {
  /** Below the provider's address. */
  path: string
  method: 'GET' | 'POST'
  headers: Record<string, string>
  /** Sent as JSON. */
  body?: Record<string, unknown>
  /** What of the query the provider does not know, for the model. */
  note?: string
}

/** One service that searches the web. A new one is a file and a line in `search-providers.ts`. */
export interface SearchProvider {
  name: string
  /** The variable with its key. */
  variable: string
  defaultUrl: string
  toRequest(query: SearchQuery, key: string): SearchRequest
  /** What it found; of an answer that is not as expected, as much as can be understood. */
  toResults(answer: unknown): SearchResult[]
  /** What it says went wrong. */
  problemOf(answer: unknown): string | undefined
}

/** A field of JSON that somebody else wrote; undefined where there is none. */
export function fieldOf(value: unknown, ...path: string[]): unknown {
  let found = value
  for (const name of path) found = typeof found === 'object' && found !== null ? Reflect.get(found, name) : undefined
  return found
}

export function textOf(value: unknown, ...path: string[]): string | undefined {
  const found = fieldOf(value, ...path)
  return typeof found === 'string' && found !== '' ? found : undefined
}

export function listOf(value: unknown, ...path: string[]): unknown[] {
  const found = fieldOf(value, ...path)
  return Array.isArray(found) ? found : []
}

/** Without the fields that have no value. */
export function present<Shape extends object>(shape: { [Name in keyof Shape]: Shape[Name] | undefined }): Shape {
  return Object.fromEntries(Object.entries(shape).filter(([, value]) => value !== undefined)) as Shape
}
