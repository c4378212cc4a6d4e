import type { Queryable } from '#store/db.ts'
import {
  type FoundPassageRow,
  listNewestPassages,
  type PassageScope,
  searchPassagesBySubstring,
  searchPassagesByWords,
} from '#store/passages/passage-search.ts'
import { parseSearchQuery } from './parse-search-query.ts'

export interface PassageSearch extends PassageScope {
  /** Words in any order and inflection; "quoted" ones stand together, -word must not occur. Empty gives the newest. */
  query: string
  /** 1 or more. */
  limit: number
}

/**
 * The passages that answer a search best, the best first: those with the most of its words, and among equals those where
 * they stand closest together. Where no word is found, parts of words are looked for.
 */
export async function searchPassages(
  db: Queryable,
  organizationId: string,
  { query, limit, ...scope }: PassageSearch,
): Promise<FoundPassageRow[]> {
  const wanted = parseSearchQuery(query)
  if (wanted.terms.length === 0) {
    const asksForNothing = query.trim() === '' || wanted.excluded.length > 0
    return asksForNothing ? listNewestPassages(db, organizationId, wanted.excluded, scope, limit) : []
  }
  const found = await searchPassagesByWords(db, organizationId, wanted, scope, limit)
  return found.length > 0 ? found : searchPassagesBySubstring(db, organizationId, wanted, scope, limit)
}
