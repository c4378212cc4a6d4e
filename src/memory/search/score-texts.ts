import { lengthFactor } from '#store/search/rank-by-words.ts'
import type { TextFeatures } from '#store/search/read-features.ts'
import type { WeighedTerm } from '#store/search/weigh-terms.ts'

/**
 * What meaning counts against words: the score of a text is the share of the query's weight that its words have, and this times its cosine. Both are on a scale of their own
 * that does not depend on what else was found, so they can be added; reciprocal ranks forget by how much one hit is better than the next, and find less
 * (docs/decisions/0012-words-and-meaning-are-added.md).
 */
export const MEANING = 1.25
/** What it counts that something was said at the time that the query names. */
export const DATED = 0.5

/** What it counts that a text is new: half of it after each `RECENCY_HALF_MS`. Enough to put what holds now before what held then, where both fit. */
const RECENCY = 0.05
const RECENCY_HALF_MS = 30 * 86_400_000

export function scoreRecency({ created_at }: Pick<TextFeatures, 'created_at'>, now: number): number {
  const recency = RECENCY * 0.5 ** (Math.max(0, now - created_at.getTime()) / RECENCY_HALF_MS)
  // of what is old, age decides nothing
  return Math.round(recency * 1_000) / 1_000
}

/** Weights of terms as shares of the weight of them all, by place. */
export function shareWeights(terms: readonly WeighedTerm[]): Map<number, number> {
  const total = terms.reduce((sum, term) => sum + term.weight, 0)
  return new Map(terms.map((term) => [term.place, total > 0 ? term.weight / total : 0]))
}

/**
 * What a text's own words, meaning and age count.
 * @param unknownSimilarity cosine of a text that has no vector yet
 */
export function scoreText(
  text: TextFeatures,
  shares: ReadonlyMap<number, number>,
  unknownSimilarity: number,
  now: number,
): number {
  const { places, size, similarity } = text
  const words = places.reduce((sum, place) => sum + (shares.get(place) ?? 0), 0)
  return words * lengthFactor(size) + MEANING * (similarity ?? unknownSimilarity) + scoreRecency(text, now)
}
