import type { SearchTools } from '#memory/search/hybrid-search.ts'
import { NO_VECTORS } from '#memory/search/vector-search.ts'
import type { ToolContext } from '#tools/tool.ts'

/** What a search in a tool works with. */
export const searchToolsOf = ({ db, services }: Pick<ToolContext, 'db' | 'services'>): SearchTools => ({
  db,
  vectors: services?.vectors ?? NO_VECTORS,
  retrievals: services?.retrievals,
})
