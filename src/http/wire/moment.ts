import { unprocessable } from '#platform/errors.ts'

const DATE_ONLY = /^\d{4}-\d{2}-\d{2}$/
const HAS_OFFSET = /(z|[+-]\d{2}:?\d{2})$/i
const DAY_MS = 86_400_000
/** Years that both ISO 8601's four digits and PostgreSQL's timestamps have; an offset can lead out of them. */
const FIRST_MOMENT = Date.parse('0001-01-01T00:00:00Z')
const LAST_MOMENT = Date.parse('9999-12-31T23:59:59.999Z')

/**
 * A point in time as clients send it: ISO 8601, a date or a date with a time, in UTC where it has no offset. With `isEnd`
 * a date alone means the last millisecond of that day. Undefined for nothing; throws unprocessable for anything else.
 */
export function parseMoment(name: string, text: string | null | undefined, isEnd = false): Date | undefined {
  if (text === undefined || text === null || text === '') return undefined
  const isDateOnly = DATE_ONLY.test(text)
  // a `+` that was not escaped in a URL arrives as a blank
  const escaped = text.replace(/(:\d{2}(?:\.\d+)?) (\d{2}:?\d{2})$/, '$1+$2')
  const time = Date.parse(isDateOnly || HAS_OFFSET.test(escaped) ? escaped : `${escaped}Z`)
  const isIso = /^\d{4}-\d{2}-\d{2}([T ]|$)/.test(text) && isDay(text.slice(0, 10))
  if (!isIso || !(time >= FIRST_MOMENT && time <= LAST_MOMENT)) {
    throw unprocessable(`${name} must be a date or time in ISO 8601, such as 2026-01-31 or 2026-01-31T18:00:00Z.`)
  }
  return new Date(isDateOnly && isEnd ? time + DAY_MS - 1 : time)
}

/** False for 30 February, which Date takes for the 2nd of March. */
function isDay(date: string): boolean {
  const midnight = new Date(`${date}T00:00:00Z`)
  return !Number.isNaN(midnight.getTime()) && midnight.toISOString().startsWith(date)
}
