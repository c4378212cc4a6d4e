import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseSearchQuery } from './parse-search-query.ts'

test.each<[string, string[], string[]]>([
  ['blue boat', ['blue', 'boat'], []],
  ['boat boat', ['boat'], []],
  ['"blue boat" sea', ['blue boat', 'sea'], []],
  ['boat -"red boat" -old', ['boat'], ['red boat', 'old']],
  ['maps or boats', ['maps', 'boats'], []],
  ['minus -5 degrees', ['minus', '5', 'degrees'], []],
  ['well-known', ['well-known'], []],
  ['"unclosed phrase', ['unclosed', 'phrase'], []],
  ['- "" & | ! ()', [], []],
  ['東京タワーの色は何ですか？', ['東京', 'タワー', '色'], []],
  ['Python入門 -京都駅', ['Python', '入門'], ['京都駅']],
  ['"東京タワーの色"', ['東京タワーの色'], []],
  ['我喜欢北京的冬天', ['喜欢', '北京', '冬天'], []],
  ['จักรยานของฉันอยู่ที่ตลาด', ['จักรยาน', 'อยู่', 'ตลาด'], []],
  ['서울에서 봤다', ['서울', '울에', '에서', '봤다'], []],
  ['のは です 的', [], []],
])('%s', (text, terms, excluded) => {
  expect(parseSearchQuery(text)).toEqual({ terms, excluded })
})

test('any text can be read, and gives a bounded number of terms', () => {
  void fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 2000 }), (text) => {
      const { terms, excluded } = parseSearchQuery(text)
      expect(terms.length).toBeLessThanOrEqual(32)
      expect(excluded.length).toBeLessThanOrEqual(32)
      expect([...terms, ...excluded].every((term) => term.trim() !== '')).toBe(true)
    }),
  )
})
