export interface LineChange {
  type: 'added' | 'removed'
  line: string
}

/** Cells of the table at most; beyond that the whole middle counts as changed. A memory block has few lines. */
const MAX_CELLS = 1_000_000

/** The lines that differ, in reading order: by a longest common subsequence of what lies between the equal ends. */
export function diffLines(before: string, after: string): LineChange[] {
  const [old, now] = withoutEqualEnds(toLines(before), toLines(after))
  if (old.length * now.length > MAX_CELLS) return [...old.map(removed), ...now.map(added)]
  const lengths = commonLengths(old, now)
  const changes: LineChange[] = []
  let i = 0
  let j = 0
  while (i < old.length || j < now.length) {
    const [oldLine, newLine] = [old[i], now[j]]
    if (oldLine !== undefined && oldLine === newLine) {
      i += 1
      j += 1
    } else if (newLine === undefined || (oldLine !== undefined && at(lengths, i + 1, j) >= at(lengths, i, j + 1))) {
      changes.push(removed(oldLine ?? ''))
      i += 1
    } else {
      changes.push(added(newLine))
      j += 1
    }
  }
  return changes
}

const removed = (line: string): LineChange => ({ type: 'removed', line })
const added = (line: string): LineChange => ({ type: 'added', line })
const toLines = (text: string): string[] => (text === '' ? [] : text.split('\n'))
const at = (table: readonly (readonly number[])[], i: number, j: number): number => table[i]?.[j] ?? 0

function withoutEqualEnds(old: string[], now: string[]): [string[], string[]] {
  const shorter = Math.min(old.length, now.length)
  let head = 0
  while (head < shorter && old[head] === now[head]) head += 1
  let tail = 0
  while (tail < shorter - head && old.at(-1 - tail) === now.at(-1 - tail)) tail += 1
  return [old.slice(head, old.length - tail), now.slice(head, now.length - tail)]
}

/** At [i][j]: how many lines the rests from i and from j have in common. */
function commonLengths(old: readonly string[], now: readonly string[]): number[][] {
  const table: number[][] = Array.from({ length: old.length + 1 }, () => new Array<number>(now.length + 1).fill(0))
  for (let i = old.length - 1; i >= 0; i -= 1) {
    const row = table[i] ?? []
    for (let j = now.length - 1; j >= 0; j -= 1) {
      row[j] = old[i] === now[j] ? at(table, i + 1, j + 1) + 1 : Math.max(at(table, i + 1, j), at(table, i, j + 1))
    }
  }
  return table
}
