import { expect, test } from 'vitest'
import { parseMoment } from './moment.ts'

test.each<[string, boolean, string]>([
  ['2026-01-31', false, '2026-01-31T00:00:00.000Z'],
  ['2026-01-31', true, '2026-01-31T23:59:59.999Z'],
  ['2026-01-31T18:00:00', false, '2026-01-31T18:00:00.000Z'],
  ['2026-01-31 18:00', true, '2026-01-31T18:00:00.000Z'],
  ['2026-01-31T18:00:00+02:00', false, '2026-01-31T16:00:00.000Z'],
  ['2026-01-31T18:00:00 02:00', false, '2026-01-31T16:00:00.000Z'],
])('%s (as an end: %s) is %s', (text, isEnd, expected) => {
  expect(parseMoment('date', text, isEnd)?.toISOString()).toBe(expected)
})

test.each([undefined, null, ''])('%s is nothing', (text) => {
  expect(parseMoment('date', text)).toBeUndefined()
})

test.each([
  'yesterday',
  '31.01.2026',
  '2026-13-01',
  '2026',
  '1769882400',
  '2026-01-31Tnoon',
  '2026-02-30',
  '0000-01-01',
  '0001-01-01T00:00:00+14:00',
  '9999-12-31T23:59:59-14:00',
  '+275760-09-13T00:00:00Z',
])('%s is refused', (text) => {
  expect(() => parseMoment('start_date', text)).toThrow('start_date must be')
})
