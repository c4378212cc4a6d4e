import { parseSearchQuery } from '#memory/parse-search-query.ts'
import { type SearchTools, searchHybrid } from '#memory/search/hybrid-search.ts'
import type { Relevance } from '#memory/search/relevance.ts'
import {
  type FilePassageScope,
  filePassageSource,
  filePassageVectorScope,
  readFilePassages,
} from '#store/files/file-passage-search.ts'
import type { FilePassageRow } from '#store/files/file-row.ts'

export interface FoundFilePassage extends FilePassageRow {
  relevance: Relevance | null
}

/**
 * The passages of an agent's files that answer a search best, the best first, by their words and by what they mean. Where no word is found, parts of words are
 * looked for. Nothing for a query without words.
 */
export async function searchFilePassages(
  tools: SearchTools,
  scope: FilePassageScope,
  query: string,
  limit: number,
): Promise<FoundFilePassage[]> {
  const wanted = parseSearchQuery(query)
  if (wanted.terms.length === 0) return []
  const best = await searchHybrid(tools, {
    query,
    wanted,
    mode: 'hybrid',
    limit,
    source: filePassageSource(scope),
    scope: filePassageVectorScope(scope),
  })
  const rows = await readFilePassages(tools.db, scope.organizationId, [...best.keys()])
  return rows.map((row) => ({ ...row, relevance: best.get(row.id) ?? null }))
}
