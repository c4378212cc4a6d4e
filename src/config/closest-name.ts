/** The candidate that differs from `name` by the fewest letters, if it is few enough for a slip of the keyboard. */
export function closestName(name: string, candidates: Iterable<string>): string | undefined {
  const limit = Math.max(2, Math.floor(name.length / 4))
  let closest: string | undefined
  let smallest = limit + 1
  for (const candidate of candidates) {
    const distance = editDistance(name, candidate)
    if (distance < smallest) {
      smallest = distance
      closest = candidate
    }
  }
  return closest
}

/** Levenshtein's distance, row by row. */
function editDistance(from: string, to: string): number {
  let above = Array.from({ length: to.length + 1 }, (_, index) => index)
  for (let i = 1; i <= from.length; i++) {
    const row = [i]
    for (let j = 1; j <= to.length; j++) {
      const replaced = (above[j - 1] ?? 0) + (from[i - 1] === to[j - 1] ? 0 : 1)
      row.push(Math.min(replaced, (above[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1))
    }
    above = row
  }
  return above[to.length] ?? 0
}
