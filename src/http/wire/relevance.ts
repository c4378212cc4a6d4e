import Type, { type Static } from 'typebox'
import { Nullable, StringEnum } from '#http/wire/nullable.ts'
import type { Relevance } from '#memory/search/relevance.ts'

/** Why a search gave a result. */
export const RelevanceSchema = Type.Object({
  score: Type.Number({ description: 'What the results are ordered by; comparable within one search' }),
  rrf_score: Type.Number({ description: 'Sum of 1 / (60 + rank) over both ranks' }),
  fts_rank: Nullable(Type.Integer({ description: 'Place among what its words found, from 1' })),
  vector_rank: Nullable(Type.Integer({ description: 'Place among what means the same, from 1' })),
  similarity: Nullable(Type.Number({ description: 'Cosine of query and text' })),
  matched_terms: Type.Array(Type.String(), { description: 'Words and phrases of the query that occur' }),
  search_mode: StringEnum(['hybrid', 'fts', 'vector'], {
    description: 'What the search went by in the end: fts where no vector of the query could be had',
  }),
})
export type RelevanceWire = Static<typeof RelevanceSchema>

/** The constant of reciprocal rank fusion, as V1 had it. */
const RRF_K = 60

export function presentRelevance(relevance: Relevance): RelevanceWire
export function presentRelevance(relevance: Relevance | null): RelevanceWire | null
export function presentRelevance(relevance: Relevance | null): RelevanceWire | null {
  if (relevance === null) return null
  const { score, ftsRank, vectorRank, similarity, matchedTerms, mode } = relevance
  const reciprocal = (rank: number | null): number => (rank === null ? 0 : 1 / (RRF_K + rank))
  return {
    score,
    rrf_score: reciprocal(ftsRank) + reciprocal(vectorRank),
    fts_rank: ftsRank,
    vector_rank: vectorRank,
    similarity,
    matched_terms: matchedTerms,
    search_mode: mode,
  }
}
