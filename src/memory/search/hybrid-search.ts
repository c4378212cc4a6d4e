import type { SearchQuery } from '#memory/parse-search-query.ts'
import type { RetrievalLog } from '#memory/retrieval-log.ts'
import { DomainError, invalidArgument } from '#platform/errors.ts'
import type { Queryable } from '#store/db.ts'
import type { NearRow, QueryVector, VectorScope } from '#store/embeddings/nearest.ts'
import { keepMeaningful } from '#store/search/keep-meaningful.ts'
import { type PartSource, rankByParts } from '#store/search/rank-by-parts.ts'
import { rankByWords } from '#store/search/rank-by-words.ts'
import { readFeatures } from '#store/search/read-features.ts'
import { weighTerms } from '#store/search/weigh-terms.ts'
import type { Relevance, SearchMode } from './relevance.ts'
import { scoreText, shareWeights } from './score-texts.ts'
import type { VectorSearch } from './vector-search.ts'

/** What searches work with. */
export interface SearchTools {
  db: Queryable
  vectors: VectorSearch
  /** Notes which passages searches have given. */
  retrievals?: Pick<RetrievalLog, 'recordRetrieved'> | undefined
}

/** Hits of each signal that are scored, or as many as are wanted. */
export const MIN_CANDIDATES = 50

export interface HybridSearch {
  query: string
  wanted: SearchQuery
  mode: SearchMode
  /** 1 or more. */
  limit: number
  source: PartSource
  scope: VectorScope
  /** Parts of words count beside whole ones, and not only where no word is found. */
  countsParts?: boolean
}

/**
 * The best that a search finds, by its words and by what it means, by their ids and in order. Whoever quotes words, or rules some out, means those words: then they alone
 * decide. Throws unavailable where only vectors were asked for and there are none.
 */
export async function searchHybrid(
  { db, vectors }: SearchTools,
  search: HybridSearch,
): Promise<Map<string, Relevance>> {
  const { query, wanted, source, scope } = search
  const mode = search.mode === 'hybrid' && isLiteral(query, wanted) ? 'fts' : search.mode
  const count = Math.max(search.limit, MIN_CANDIDATES)
  const [terms, queryVectors] = await Promise.all([
    mode === 'vector' ? [] : weighTerms(db, source, wanted.terms),
    embedFor(vectors, [query], mode),
  ])
  // one is enough to look for no parts of words
  const atLeast = queryVectors.length === 0 ? search.limit : 1
  const [words, near] = await Promise.all([
    rankByWords(db, source, terms, wanted.excluded, { limit: count, atLeast }),
    queryVectors.length === 0 ? [] : vectors.findNearest(queryVectors, scope, count),
  ])
  const usesParts = mode !== 'vector' && (words.length === 0 || search.countsParts === true)
  const parts = usesParts ? await findParts(db, search, count) : []
  const found = [...parts, ...words, ...near].map(({ id }) => id)
  const features = await readFeatures(db, source.table, scope.organizationId, [...new Set(found)], terms, queryVectors)
  const shares = shareWeights(terms)
  const unknownSimilarity = farthestSimilarity(near)
  const partRanks = ranksOf(parts)
  const now = Date.now()
  const explain = explainer(wanted, queryVectors, mode, ranksOf(words), ranksOf(near))
  const ranked = features
    .map((text) => {
      const rank = partRanks.get(text.id)
      // a part of a word is as good as half of the words, and less so the further behind
      const ofPart = rank === undefined ? 0 : 0.5 / rank
      return { id: text.id, relevance: explain(text, scoreText(text, shares, unknownSimilarity, now) + ofPart) }
    })
    .sort((a, b) => b.relevance.score - a.relevance.score || placeOf(a.relevance) - placeOf(b.relevance))
  return new Map(ranked.slice(0, search.limit).map(({ id, relevance }) => [id, relevance]))
}

/** Of words that mean nothing no parts are looked for: every text has them. */
async function findParts(db: Queryable, { wanted, source }: HybridSearch, limit: number) {
  const terms = await keepMeaningful(db, wanted.terms)
  return terms.length === 0 ? [] : rankByParts(db, source, { ...wanted, terms }, limit)
}

/** Among equals those are first whose words stand closer together. */
const placeOf = ({ ftsRank, vectorRank }: Relevance): number => ftsRank ?? vectorRank ?? 0

export const isLiteral = (query: string, { excluded }: SearchQuery): boolean =>
  excluded.length > 0 || query.includes('"')

/**
 * The query as the models see it.
 * @param forms see `VectorSearch`
 * Throws invalid_argument, or unavailable, where only vectors were asked for and there are none.
 */
export async function embedFor(
  vectors: VectorSearch,
  forms: readonly string[],
  mode: SearchMode,
): Promise<QueryVector[]> {
  if (mode === 'fts') return []
  if (mode === 'vector' && !vectors.isEnabled) {
    throw invalidArgument(
      'INVALID_ARGUMENT: search_mode: embeddings are switched off on this server (PERDURE_EMBEDDINGS), so nothing is found by vector. Use hybrid or fts, which find by words.',
    )
  }
  const made = await vectors.embed(forms)
  if (mode === 'vector' && made.length === 0) {
    throw new DomainError(
      'unavailable',
      'The embedding model gives no vector of the query now. Try again in a moment, or use search_mode hybrid or fts, which find by words.',
      { retryAfterSeconds: 5 },
    )
  }
  return made
}

/** Of a text without a vector: it is taken for no nearer than the last that was found by its vector. */
export const farthestSimilarity = (near: readonly NearRow[]): number => 1 - (near.at(-1)?.distance ?? 1)

/** Places in a list, from 1. */
export const ranksOf = (found: readonly { id: string }[]): Map<string, number> =>
  new Map(found.map(({ id }, index) => [id, index + 1]))

/** Marks of the sentence that a query is: of `sister?` the word was found. */
const AROUND_A_WORD = /^[¿¡([{'‘“«„]+|[?!.,;:…)\]}'’”»。、？！]+$/gu

/** Tells of a result why it was found. */
export function explainer(
  { terms }: SearchQuery,
  queryVectors: readonly QueryVector[],
  mode: SearchMode,
  ftsRanks: ReadonlyMap<string, number>,
  vectorRanks: ReadonlyMap<string, number>,
) {
  const words = terms.map((term) => term.replace(AROUND_A_WORD, ''))
  const went: SearchMode = queryVectors.length === 0 ? 'fts' : mode
  return (text: { id: string; places: readonly number[]; similarity: number | null }, score: number): Relevance => ({
    score,
    ftsRank: ftsRanks.get(text.id) ?? null,
    vectorRank: vectorRanks.get(text.id) ?? null,
    similarity: text.similarity,
    matchedTerms: text.places.flatMap((place) => words[place - 1] ?? []),
    mode: went,
  })
}
