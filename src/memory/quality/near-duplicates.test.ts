import fc from 'fast-check'
import { expect, test } from 'vitest'
import { NearDuplicateFinder, normalizeText } from './near-duplicates.ts'

const find = (texts: readonly string[]) => {
  const finder = new NearDuplicateFinder<string>()
  return texts.map((text, index) => finder.add(String(index), normalizeText(text))?.passages[0])
}

test('texts that differ in a word or two are found, others are not', () => {
  const base =
    'Ann Baker lives in Lisbon with her two dogs, works as a marine biologist at the university, and prefers to be called after nine in the morning.'
  expect(
    find([
      base,
      base.replace('two dogs', 'three dogs'),
      'The quarterly report is due on the first Monday of March, and goes to the board and to the auditors.',
      base.replace('Lisbon', 'Porto').replace('nine', 'ten'),
      'Ann Baker has a boat.',
      'x',
      '',
    ]),
  ).toEqual([undefined, '0', undefined, '0', undefined, undefined, undefined])
})

test('texts without blanks are compared too', () => {
  const base = '安娜住在里斯本，养了两只狗，在大学做海洋生物学家，喜欢早上九点以后接电话，周末常常去海边散步。'
  expect(find([base, base.replace('两只', '三只'), '季度报告应于三月的第一个星期一提交给董事会和审计师。'])).toEqual([
    undefined,
    '0',
    undefined,
  ])
})

test('nine of ten that differ in one word of thirty are found', () => {
  const words = fc.array(fc.stringMatching(/^[a-z]{3,9}$/), { minLength: 30, maxLength: 60 })
  let found = 0
  const total = 300
  fc.assert(
    fc.property(words, fc.nat(), (some, at) => {
      const changed = some.with(at % some.length, 'changed')
      if (find([some.join(' '), changed.join(' ')])[1] === '0') found += 1
    }),
    { numRuns: total, seed: 7 },
  )
  expect(found).toBeGreaterThan(total * 0.9)
})

test('ten thousand texts of one kind take no time by their square', () => {
  const finder = new NearDuplicateFinder<string>()
  const began = performance.now()
  let found = 0
  for (let index = 0; index < 10_000; index += 1) {
    const text = normalizeText(
      `The vessel number ${index} entered the harbour with a load of timber and left it in the evening again.`,
    )
    if (finder.add(String(index), text) !== undefined) found += 1
  }
  expect(found).toBe(9_999)
  expect(performance.now() - began).toBeLessThan(15_000)
})
