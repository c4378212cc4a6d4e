import { parseSearchQuery } from '#memory/parse-search-query.ts'
import type { Queryable } from '#store/db.ts'
import { searchFilePassagesBySubstring, searchFilePassagesByWords } from '#store/files/file-passage-search.ts'
import type { FilePassageRow } from '#store/files/file-row.ts'

/**
 * The passages of an agent's files that answer a search best, the best first. Where no word is found, parts of words are
 * looked for. Nothing for a query without words.
 */
export async function searchFilePassages(
  db: Queryable,
  organizationId: string,
  agentId: string,
  query: string,
  limit: number,
): Promise<FilePassageRow[]> {
  const wanted = parseSearchQuery(query)
  if (wanted.terms.length === 0) return []
  const found = await searchFilePassagesByWords(db, organizationId, agentId, wanted, limit)
  return found.length > 0 ? found : searchFilePassagesBySubstring(db, organizationId, agentId, wanted, limit)
}
