import { Cron } from 'croner'
import { unprocessable } from '#platform/errors.ts'

const NICKNAME = /^@(yearly|annually|monthly|weekly|daily|midnight|hourly)$/
/** No `?`: it would stand for the minute or hour at which the expression happens to be read. */
const FIVE_FIELDS = /^[^\s?]+(?:\s+[^\s?]+){4}$/
const MAX_LENGTH = 200

/**
 * The first time after `after` that a cron expression means on the clocks of a time zone; undefined where there is none any
 * more. Throws unprocessable for what is no expression of five fields.
 * When clocks go forward, a time that they skip is at the end of the gap; when they go back, a time that comes twice counts the
 * first time only. Expressions of intervals, such as every half hour, go on through both.
 */
export function nextCronTime(expression: string, timezone: string, after: Date): Date | undefined {
  const text = expression.trim()
  if (text.length > MAX_LENGTH || !(NICKNAME.test(text) || FIVE_FIELDS.test(text))) throw notCron()
  let cron: Cron
  try {
    cron = new Cron(text, { timezone, mode: '5-part' })
  } catch {
    throw notCron()
  }
  return cron.nextRun(after) ?? undefined
}

const notCron = () =>
  unprocessable(
    'cron_expression must have five fields (minute, hour, day of month, month, day of week), such as "0 9 * * 1-5", or be @hourly, @daily, @weekly, @monthly or @yearly.',
  )
