/** How texts are compared with a query: by meaning and words, by words alone, by meaning alone. */
export type SearchMode = 'hybrid' | 'fts' | 'vector'

/** Why something was found. */
export interface Relevance {
  /** What results are ordered by; comparable within one search. */
  score: number
  /** Its place among what was found by words, and by meaning, from 1; null where it was not among them. */
  ftsRank: number | null
  vectorRank: number | null
  /** Cosine of query and text, where it is known. */
  similarity: number | null
  /** Words and phrases of the query that occur. */
  matchedTerms: string[]
  /** What the search went by in the end: a hybrid one goes by words where no vector of the query could be had. */
  mode: SearchMode
}
