import type { Relevance } from '#memory/search/relevance.ts'

/** What a model reads of why something was found: short, since it pays for each word. */
export function toldRelevance(relevance: Relevance | null): { relevance?: Record<string, unknown> } {
  if (relevance === null) return {}
  const { score, ftsRank, vectorRank, mode } = relevance
  const rounded = Math.round(score * 100) / 100
  return { relevance: { score: rounded, fts_rank: ftsRank, vector_rank: vectorRank, search_mode: mode } }
}
