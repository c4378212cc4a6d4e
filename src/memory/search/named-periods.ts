/** From `start` up to and without `end`. */
export interface Period {
  start: Date
  end: Date
}

const MONTHS = 'january february march april may june july august september october november december'.split(' ')
const DAY_MS = 86_400_000

const ISO = /\b((?:19|20)\d\d)-(\d\d)(?:-(\d\d))?\b/g
/** 3 June 2023, 3rd of June 2023, June 3, 2023, June 2023. */
const NAMED = new RegExp(
  `(?:\\b(\\d{1,2})(?:st|nd|rd|th)? (?:of )?)?\\b(${MONTHS.join('|')})\\b(?: (\\d{1,2})(?:st|nd|rd|th)?(?!\\d))?,? ((?:19|20)\\d\\d)\\b`,
  'gi',
)
const YEAR = /\b((?:19|20)\d\d)\b/g

/**
 * The days, months and years (UTC) that a query names with their year, in English or as ISO dates; a year by itself only where nothing finer is named. What was
 * said then is likelier to answer it, give or take a day for time zones.
 */
export function namedPeriods(query: string): Period[] {
  const iso = [...query.matchAll(ISO)].map(([, year, month, day]) => toPeriod(year, Number(month) - 1, day))
  const named = [...query.matchAll(NAMED)].map(([, before, month = '', after, year]) =>
    toPeriod(year, MONTHS.indexOf(month.toLowerCase()), before ?? after),
  )
  const fine = [...iso, ...named].filter((period) => period !== undefined)
  if (fine.length > 0) return fine
  return [...query.matchAll(YEAR)].map(([, year]) => ({
    start: new Date(Date.UTC(Number(year), 0, 1) - DAY_MS),
    end: new Date(Date.UTC(Number(year) + 1, 0, 1) + DAY_MS),
  }))
}

/** @param month 0 to 11 */
function toPeriod(year: string | undefined, month: number, day: string | undefined): Period | undefined {
  if (month < 0 || month > 11 || (day !== undefined && (Number(day) < 1 || Number(day) > 31))) return undefined
  const start = Date.UTC(Number(year), month, Number(day ?? 1))
  const end = day === undefined ? Date.UTC(Number(year), month + 1, 1) : start + DAY_MS
  return { start: new Date(start - DAY_MS), end: new Date(end + DAY_MS) }
}
