/** Added to the midnight of a date, this is the last millisecond of its day. */
const REST_OF_DAY_MS = 86_399_999

/**
 * A date or time that a model gave as an argument; undefined for nothing, `invalid` for what is no date.
 * @param coversDay a date without a time means the end of that day
 */
export function parseDate(value: unknown, coversDay = false): Date | undefined | 'invalid' {
  if (typeof value !== 'string' || value === '') return undefined
  const date = new Date(value)
  if (Number.isNaN(date.getTime())) return 'invalid'
  return coversDay && /^\d{4}-\d{2}-\d{2}$/.test(value) ? new Date(date.getTime() + REST_OF_DAY_MS) : date
}
