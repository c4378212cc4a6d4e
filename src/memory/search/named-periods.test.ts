import { expect, it } from 'vitest'
import { namedPeriods } from './named-periods.ts'

/** First and last day, without the one that is added on each side. */
const days = (query: string): string[][] =>
  namedPeriods(query).map(({ start, end }) => [
    new Date(start.getTime() + 86_400_000).toISOString().slice(0, 10),
    new Date(end.getTime() - 2 * 86_400_000).toISOString().slice(0, 10),
  ])

it.each<[string, string[][]]>([
  ['What did we do on 3 June 2023?', [['2023-06-03', '2023-06-03']]],
  ['on the 3rd of June, 2023', [['2023-06-03', '2023-06-03']]],
  ['June 3, 2023', [['2023-06-03', '2023-06-03']]],
  ['in june 2023', [['2023-06-01', '2023-06-30']]],
  ['in December 2024', [['2024-12-01', '2024-12-31']]],
  [
    'on 2023-06-03 and in 2024-02',
    [
      ['2023-06-03', '2023-06-03'],
      ['2024-02-01', '2024-02-29'],
    ],
  ],
  [
    'between May 2022 and 5 July 2023',
    [
      ['2022-05-01', '2022-05-31'],
      ['2023-07-05', '2023-07-05'],
    ],
  ],
  ['what happened in 2022?', [['2022-01-01', '2022-12-31']]],
  ['may I ask when she may come', []],
  ['on 3 June', []],
  ['2023-13-01', [['2023-01-01', '2023-12-31']]],
  ['part 20231 of order 12022', []],
  ['', []],
])('%j', (query, expected) => {
  expect(days(query)).toEqual(expected)
})
