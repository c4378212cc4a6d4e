import type { PassageRow } from '#store/passages/passage-row.ts'
import {
  listNewestPassages,
  type PassageScope,
  passageSource,
  passageVectorScope,
  readPassages,
  resolveTags,
} from '#store/passages/passage-search.ts'
import { parseSearchQuery } from './parse-search-query.ts'
import { type SearchTools, searchHybrid } from './search/hybrid-search.ts'
import type { Relevance, SearchMode } from './search/relevance.ts'

export interface PassageSearch extends PassageScope {
  /** Words in any order and inflection; "quoted" ones stand together, -word must not occur. Empty gives the newest. */
  query: string
  /** 1 or more. */
  limit: number
  mode?: SearchMode | undefined
}

export interface FoundPassage extends PassageRow {
  /** Null where the search asked for nothing, and the newest were given. */
  relevance: Relevance | null
}

/**
 * The passages that answer a search best, the best first, by their words and by what they mean. Where no word is found, parts of words are looked for.
 * What is given is noted as retrieved. Throws unavailable for mode `vector` where there are no vectors.
 */
export async function searchPassages(tools: SearchTools, search: PassageSearch): Promise<FoundPassage[]> {
  const found = await findPassages(tools, search)
  tools.retrievals?.recordRetrieved(
    search.organizationId,
    found.map(({ id }) => id),
  )
  return found
}

async function findPassages(
  tools: SearchTools,
  { query, limit, mode = 'hybrid', ...asked }: PassageSearch,
): Promise<FoundPassage[]> {
  const { db } = tools
  const wanted = parseSearchQuery(query)
  const asksForAll = wanted.terms.length === 0
  // a query of which nothing is left ("!?") finds nothing, and not everything
  if (asksForAll && query.trim() !== '' && wanted.excluded.length === 0) return []
  const scope = await resolveTags(db, asked)
  if (asksForAll) {
    return (await listNewestPassages(db, scope, wanted.excluded, limit)).map((row) => ({ ...row, relevance: null }))
  }
  const best = await searchHybrid(tools, {
    query,
    wanted,
    mode,
    limit,
    source: passageSource(scope),
    scope: passageVectorScope(scope),
  })
  const rows = await readPassages(db, scope.organizationId, [...best.keys()])
  return rows.map((row) => ({ ...row, relevance: best.get(row.id) ?? null }))
}
