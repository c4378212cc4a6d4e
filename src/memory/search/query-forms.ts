import type { SearchQuery } from '#memory/parse-search-query.ts'
import type { WeighedTerm } from '#store/search/weigh-terms.ts'

/** Words of a question that ask, and say nothing of what is asked for; as their stems. */
const ASKING = new Set(
  'would could might may must shall say said tell told mention talk discuss describ rememb remind'
    .split(' ')
    .map((stem) => `'${stem}'`),
)

/** A word that more of the messages have says little of what is meant: names of those who speak, mostly. */
const COMMON_SHARE = 0.15
/** In fewer messages every word is common. */
const MIN_TOTAL = 20

/** The terms without those that ask, unless there are no others. */
export function dropAskingWords(terms: readonly WeighedTerm[]): WeighedTerm[] {
  const saying = terms.filter(({ english }) => english === null || !ASKING.has(english))
  return saying.length > 0 ? saying : [...terms]
}

/**
 * The forms of a query that are embedded, to be added up: as it is, and without the words that very many messages have. By what is left the query is nearer to what it asks
 * for than to whatever names the same people.
 */
export function queryForms(query: string, { terms }: SearchQuery, weighed: readonly WeighedTerm[]): string[] {
  const total = weighed[0]?.total ?? 0
  if (total < MIN_TOTAL) return [query]
  const common = new Set(weighed.filter(({ count }) => count > COMMON_SHARE * total).map(({ place }) => place))
  const rest = terms.filter((_, index) => !common.has(index + 1))
  return rest.length === 0 || rest.length === terms.length ? [query] : [query, rest.join(' ')]
}
