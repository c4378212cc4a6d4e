import type { Queryable } from '#store/db.ts'
import { type FoundMessage, findMessages, type MessageSearch } from '#store/messages/search-messages.ts'
import { parseSearchQuery } from './parse-search-query.ts'

/** Full-text search over everything an agent heard, said and was told by tools. An empty query gives the newest messages. */
export async function searchMessages(
  db: Queryable,
  { query, ...search }: Omit<MessageSearch, 'terms' | 'excluded'> & { query: string },
): Promise<FoundMessage[]> {
  const wanted = parseSearchQuery(query)
  // a query of which nothing is left ("!?") finds nothing, and not everything
  if (query.trim() !== '' && wanted.terms.length === 0) return []
  return findMessages(db, { ...search, ...wanted })
}
