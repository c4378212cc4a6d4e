/** Differences that are meant, with the reason why. */
export interface ReviewedDifferences {
  /** Lines of the comparison; `*` in one stands for any text. */
  differences: string[]
  reason: string
}

/** The reason of an entry that nobody has looked at. */
export const UNREVIEWED = 'TODO'

const toPattern = (line: string): RegExp =>
  new RegExp(
    `^${line
      .split('*')
      .map((text) => text.replace(/[.+?^${}()|[\]\\]/g, '\\$&'))
      .join('.*')}$`,
  )

export interface Review {
  /** Differences that no entry explains. */
  unknown: string[]
  /** Lines of entries that match no difference any more. */
  stale: string[]
  /** Differences of entries without a reason. */
  unreviewed: string[]
}

export function reviewDifferences(differences: readonly string[], reviewed: readonly ReviewedDifferences[]): Review {
  const explained = new Set<string>()
  const stale: string[] = []
  const unreviewed: string[] = []
  for (const { differences: lines, reason } of reviewed) {
    for (const line of lines) {
      const pattern = toPattern(line)
      const matching = differences.filter((difference) => pattern.test(difference))
      if (matching.length === 0) stale.push(line)
      for (const difference of matching) explained.add(difference)
      if (reason.trim() === '' || reason.startsWith(UNREVIEWED)) unreviewed.push(line)
    }
  }
  return { unknown: differences.filter((difference) => !explained.has(difference)), stale, unreviewed }
}

/**
 * The entries with what is new in them under the reason TODO, and without what is stale: a family of paths that is missing as a whole
 * in one line, the differences of several operations in the same part of their bodies or answers in one entry.
 */
export function addDifferences(
  differences: readonly string[],
  reviewed: readonly ReviewedDifferences[],
  allPaths: readonly string[],
): ReviewedDifferences[] {
  const { unknown, stale } = reviewDifferences(differences, reviewed)
  const kept = reviewed
    .map((entry) => ({ ...entry, differences: entry.differences.filter((line) => !stale.includes(line)) }))
    .filter((entry) => entry.differences.length > 0)
  return [...kept, ...groupDifferences(unknown, allPaths).map((lines) => ({ differences: lines, reason: UNREVIEWED }))]
}

const MISSING = ': operation is missing'

function groupDifferences(unknown: readonly string[], allPaths: readonly string[]): string[][] {
  const families = new Map<string, string[]>()
  const others = new Map<string, string[]>()
  for (const line of unknown) {
    const [operation = '', what = ''] = line.split(/: (.*)/s)
    const isMissing = line.endsWith(MISSING)
    const groups = isMissing ? families : others
    const key = isMissing ? familyOf(operation) : placeOf(what)
    groups.set(key, [...(groups.get(key) ?? []), line])
  }
  const missing = [...families].map(([family, lines]) => {
    const isWhole = allPaths.filter((operation) => familyOf(operation) === family).length === lines.length
    return isWhole && lines.length > 1 ? [`* ${family}*${MISSING}`] : lines
  })
  return [...missing, ...others.values()]
}

/** What differs in the same part of several bodies or answers belongs together: `body field .messages[].content[]`. */
const placeOf = (what: string): string =>
  what.replace(/ field \[\]/, ' field ').replace(/^(\w+ field \S+)\.[\w*-]+(\[\])? .*$/, '$1')

/** `/v1/sources` of `GET /v1/sources/{}/files`. */
const familyOf = (operation: string): string => operation.replace(/^\w+ /, '').split('/').slice(0, 3).join('/')
