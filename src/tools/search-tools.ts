import { parseSearchQuery } from '#memory/parse-search-query.ts'
import { type SearchTools, searchHybrid } from '#memory/search/hybrid-search.ts'
import type { Relevance, SearchMode } from '#memory/search/relevance.ts'
import type { ToolRow } from '#store/tools/tool-row.ts'
import { listNewestTools, readTools, type ToolScope, toolSource, toolVectorScope } from '#store/tools/tool-search.ts'

export interface ToolSearch extends ToolScope {
  /** Empty gives the newest. */
  query: string
  mode: SearchMode
  /** 1 or more. */
  limit: number
}

export interface FoundTool {
  tool: ToolRow
  /** Null where the search asked for nothing, and the newest were given. */
  relevance: Relevance | null
}

/** The tools that fit a query best, the best first, by the words of name, description and tags, by parts of the name, and by what they are for. */
export async function searchTools(
  tools: SearchTools,
  { query, mode, limit, ...scope }: ToolSearch,
): Promise<FoundTool[]> {
  const { db } = tools
  const wanted = parseSearchQuery(query)
  if (wanted.terms.length === 0) {
    // a text without a word in it finds nothing, no text at all finds everything
    if (query.trim() !== '' && wanted.excluded.length === 0) return []
    return (await listNewestTools(db, scope, wanted.excluded, limit)).map((tool) => ({ tool, relevance: null }))
  }
  const best = await searchHybrid(tools, {
    query,
    wanted,
    mode,
    limit,
    source: toolSource(scope),
    scope: toolVectorScope(scope),
    // of the name, which says most of what a tool is
    countsParts: true,
  })
  const rows = await readTools(db, scope.organizationId, [...best.keys()])
  return rows.map((tool) => ({ tool, relevance: best.get(tool.id) ?? null }))
}
