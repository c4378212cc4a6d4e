import type { Queryable } from '#store/db.ts'
import type { PlacedMessage } from '#store/messages/placed-message.ts'
import { type AllMessageSearch, findAllMessages } from '#store/messages/search-all-messages.ts'
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

/** Full-text search over the messages of all agents. Without a query, the newest messages that pass the filters. */
export async function searchAllMessages(
  db: Queryable,
  { query, ...search }: Omit<AllMessageSearch, 'words'> & { query: string | undefined },
): Promise<PlacedMessage[]> {
  if (query === undefined) return findAllMessages(db, search)
  const words = parseSearchQuery(query)
  return words.terms.length === 0 ? [] : findAllMessages(db, { ...search, words })
}
