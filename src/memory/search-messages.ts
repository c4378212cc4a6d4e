import type { Queryable } from '#store/db.ts'
import type { PlacedMessage } from '#store/messages/placed-message.ts'
import { listNeighbours, rankMessages } from '#store/messages/rank-messages.ts'
import { type AllMessageSearch, findAllMessages } from '#store/messages/search-all-messages.ts'
import { type FoundMessage, findMessages, type MessageSearch, readMessages } from '#store/messages/search-messages.ts'
import { parseSearchQuery } from './parse-search-query.ts'
import { addNeighbours, REACH } from './search/add-neighbours.ts'

/** Hits whose neighbours are looked at; what comes after them hardly gets to the front. */
const MAX_HITS_WITH_NEIGHBOURS = 60
/** Hits of which the best are given, with what stands beside them. */
const MIN_HITS = 200

/**
 * Search over everything an agent heard, said and was told by tools: by the weight of the words that occur, and by what stands beside
 * them, since an answer seldom has the words of its question; "quoted" words and -excluded ones are taken literally. An empty query gives
 * the newest messages.
 */
export async function searchMessages(
  db: Queryable,
  { query, ...search }: Omit<MessageSearch, 'terms' | 'excluded'> & { query: string },
): Promise<FoundMessage[]> {
  const wanted = parseSearchQuery(query)
  if (wanted.terms.length === 0) {
    // a query of which nothing is left ("!?") finds nothing, and not everything
    return query.trim() === '' ? findMessages(db, { ...search, ...wanted }) : []
  }
  const hits = await rankMessages(db, { ...search, ...wanted, limit: Math.max(search.limit, MIN_HITS) })
  if (hits.length === 0) return []
  // whoever quotes words, or rules some out, wants those messages and no others
  const isLiteral = wanted.excluded.length > 0 || query.includes('"')
  const near = isLiteral ? [] : await listNeighbours(db, search, hits.slice(0, MAX_HITS_WITH_NEIGHBOURS), REACH)
  const best = addNeighbours(hits, near).slice(0, search.limit)
  return readMessages(
    db,
    search.organizationId,
    best.map(({ found }) => found),
  )
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
