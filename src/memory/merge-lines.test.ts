import fc from 'fast-check'
import { expect, test } from 'vitest'
import { mergeLines } from './merge-lines.ts'

test.each<[string, string, string, string, string | undefined]>([
  ['lines far from each other', 'a\nb\nc', 'A\nb\nc', 'a\nb\nC', 'A\nb\nC'],
  ['neighbours', 'a\nb', 'A\nb', 'a\nB', 'A\nB'],
  ['both at the end', 'a', 'a\nb', 'a\nc', 'a\nb\nc'],
  ['both into an empty text', '', 'a', 'b', 'a\nb'],
  ['one only', 'a\nb', 'a\nb', 'b', 'b'],
  ['a line goes, and one comes after it', 'a\nb\nc', 'a\nc', 'a\nb\nx\nc', 'a\nx\nc'],
  ['the same line', 'a', 'b', 'c', undefined],
  ['a line goes that the other changes', 'a\nb', 'a', 'a\nB', undefined],
  ['a line goes from between those where the other puts one', 'a\nb\nc', 'c', 'a\nx\nb\nc', undefined],
])('%s', (_, base, one, other, merged) => {
  expect(mergeLines(base, one, other)).toBe(merged)
})

test('nothing that either put in is lost, and nothing that either took out is there', () => {
  const base = fc.uniqueArray(fc.integer({ min: 0, max: 30 }), { maxLength: 12 })
  const edits = fc.array(fc.tuple(fc.nat(12), fc.boolean()), { maxLength: 4 })
  const edited = (lines: number[], changes: [number, boolean][], mark: string) => {
    const own = lines.map(String)
    changes.forEach(([at, isInsertion], n) => {
      const place = at % (own.length + 1)
      if (isInsertion) own.splice(place, 0, `${mark}${n}`)
      else own.splice(place, 1)
    })
    return own
  }
  fc.assert(
    fc.property(base, edits, edits, (lines, one, other) => {
      const [first, second] = [edited(lines, one, 'x'), edited(lines, other, 'y')]
      const merged = mergeLines(lines.join('\n'), first.join('\n'), second.join('\n'))
      if (merged === undefined) return
      const all = merged === '' ? [] : merged.split('\n')
      const kept = lines.map(String).filter((line) => first.includes(line) && second.includes(line))
      const put = [...first, ...second].filter((line) => /[xy]/.test(line))
      expect(all.toSorted()).toEqual([...kept, ...put].toSorted())
    }),
    { numRuns: 1000 },
  )
})
