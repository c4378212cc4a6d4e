import { diffArrays } from 'diff'

/** Edits beyond which no merge is tried; see `unified-diff.ts`. */
const MAX_EDITS = 2000

/** Lines `start` to `end` (exclusive) of the base, and what stands in their place. */
interface Hunk {
  start: number
  end: number
  lines: string[]
}

/**
 * The text with both changes in it, where two writers have each made another text of `base`; undefined where both changed the same lines.
 * What both put in the same place stands there one after the other.
 */
export function mergeLines(base: string, one: string, other: string): string | undefined {
  const lines = toLines(base)
  const [first, second] = [findHunks(lines, toLines(one)), findHunks(lines, toLines(other))]
  if (first === undefined || second === undefined) return undefined
  if (first.some((hunk) => second.some((another) => isInTheWay(hunk, another)))) return undefined
  // sorted stably: of two insertions in one place that of `one` comes first
  const hunks = [...first, ...second].sort((a, b) => a.start - b.start || a.end - b.end)
  const merged: string[] = []
  let at = 0
  for (const { start, end, lines: inserted } of hunks) {
    merged.push(...lines.slice(at, start), ...inserted)
    at = end
  }
  return [...merged, ...lines.slice(at)].join('\n')
}

/** No lines at all, rather than an empty one, so that two writers of an empty text are no conflict. */
const toLines = (text: string): string[] => (text === '' ? [] : text.split('\n'))

/** Two insertions are not, even in the same place. */
function isInTheWay(one: Hunk, other: Hunk): boolean {
  const isInsertion = (hunk: Hunk) => hunk.start === hunk.end
  if (isInsertion(one) && isInsertion(other)) return false
  if (isInsertion(one)) return other.start < one.start && one.start < other.end
  if (isInsertion(other)) return one.start < other.start && other.start < one.end
  return one.start < other.end && other.start < one.end
}

function findHunks(from: string[], to: string[]): Hunk[] | undefined {
  const changes = diffArrays(from, to, { maxEditLength: MAX_EDITS })
  if (changes === undefined) return undefined
  const hunks: Hunk[] = []
  let at = 0
  let hunk: Hunk | undefined
  for (const { added, removed, value } of changes) {
    if (!added && !removed) {
      at += value.length
      hunk = undefined
      continue
    }
    if (hunk === undefined) {
      hunk = { start: at, end: at, lines: [] }
      hunks.push(hunk)
    }
    if (added) hunk.lines.push(...value)
    else {
      at += value.length
      hunk.end = at
    }
  }
  return hunks
}
