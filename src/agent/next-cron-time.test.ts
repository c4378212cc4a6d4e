import { expect, test } from 'vitest'
import { nextCronTime } from './next-cron-time.ts'

const next = (expression: string, timezone: string, after: string, count = 1): string[] => {
  const times: string[] = []
  let time: Date | undefined = new Date(after)
  for (let index = 0; index < count && time !== undefined; index++) {
    time = nextCronTime(expression, timezone, time)
    if (time !== undefined) times.push(time.toISOString().slice(0, 16))
  }
  return times
}

test('is strictly later, on the clocks of the zone', () => {
  expect(next('* * * * *', 'UTC', '2026-11-24T14:00:00Z')).toEqual(['2026-11-24T14:01'])
  expect(next('0 9 * * 1-5', 'America/New_York', '2026-11-27T14:00:00Z')).toEqual(['2026-11-30T14:00'])
  expect(next('@daily', 'Asia/Kolkata', '2026-11-24T14:00:00Z')).toEqual(['2026-11-24T18:30'])
  expect(next('0 0 29 2 *', 'UTC', '2026-11-24T14:00:00Z', 2)).toEqual(['2028-02-29T00:00', '2032-02-29T00:00'])
  expect(next('0 0 30 2 *', 'UTC', '2026-11-24T14:00:00Z')).toEqual([])
})

test('clocks that go forward: what they skip comes at the end of the gap, and intervals go on', () => {
  expect(next('30 2 * * *', 'Europe/Berlin', '2026-03-28T12:00:00Z', 2)).toEqual([
    '2026-03-29T01:00',
    '2026-03-30T00:30',
  ])
  expect(next('*/30 * * * *', 'Europe/Berlin', '2026-03-29T00:00:00Z', 3)).toEqual([
    '2026-03-29T00:30',
    '2026-03-29T01:00',
    '2026-03-29T01:30',
  ])
})

test('clocks that go back: what comes twice counts once, and intervals go on', () => {
  expect(next('30 2 * * *', 'Europe/Berlin', '2026-10-24T12:00:00Z', 2)).toEqual([
    '2026-10-25T00:30',
    '2026-10-26T01:30',
  ])
  expect(next('*/30 * * * *', 'Europe/Berlin', '2026-10-24T23:30:00Z', 4)).toEqual([
    '2026-10-25T00:00',
    '2026-10-25T00:30',
    '2026-10-25T01:00',
    '2026-10-25T01:30',
  ])
})

test.each([
  '',
  'x',
  '* * * *',
  '* * * * * *',
  '60 * * * *',
  '? * * * *',
  '2026-11-30T00:00:00Z',
  '@reboot',
  '* '.repeat(300),
])('"%s" is no expression', (expression) => {
  expect(() => nextCronTime(expression, 'UTC', new Date())).toThrow('five fields')
})
