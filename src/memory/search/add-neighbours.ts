/** How much of a message's own score those have that stand one and two places beside it; by half of the LoCoMo conversations. */
const SHARES = [0.4, 0.3]
export const REACH = SHARES.length

export interface Scored {
  id: string
  seq: number
  score: number
}
export interface Beside {
  id: string
  seq: number
  hit_seq: number
  distance: number
}

/**
 * Scores of hits and of what stands beside them: an answer seldom has the words of the question that it follows. Each has its own score
 * and a share of its neighbours'.
 */
export function addNeighbours<Hit extends Scored, Near extends Beside>(
  hits: readonly Hit[],
  near: readonly Near[],
): { found: Hit | Near; score: number }[] {
  const own = new Map(hits.map((hit) => [hit.seq, hit.score]))
  const scores = new Map<string, { found: Hit | Near; score: number }>()
  for (const hit of hits) scores.set(hit.id, { found: hit, score: hit.score })
  for (const one of near) {
    const share = (SHARES[one.distance - 1] ?? 0) * (own.get(one.hit_seq) ?? 0)
    const known = scores.get(one.id)
    if (known === undefined) scores.set(one.id, { found: one, score: share })
    else known.score += share
  }
  return [...scores.values()].sort((a, b) => b.score - a.score || b.found.seq - a.found.seq)
}
