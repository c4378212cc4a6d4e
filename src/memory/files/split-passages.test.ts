import fc from 'fast-check'
import { expect, test } from 'vitest'
import { splitLines } from './split-lines.ts'
import { splitPassages } from './split-passages.ts'

test('lines are counted as an editor does', () => {
  expect(splitLines('')).toEqual([])
  expect(splitLines('a')).toEqual(['a'])
  expect(splitLines('a\r\nb\rc\n\n')).toEqual(['a', 'b', 'c', ''])
})

const text = fc
  .array(
    fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 40 }),
      fc.constantFrom('', ' ', 'long '.repeat(400), '🐙'.repeat(900)),
    ),
    {
      maxLength: 120,
    },
  )
  .map((lines) => lines.join('\n'))

test('pieces are the text, in order, each with its lines, none too long and none blank', () => {
  fc.assert(
    fc.property(text, (given) => {
      const lines = splitLines(given)
      const pieces = splitPassages(given)
      expect(
        pieces
          .map((piece) => piece.text)
          .join('')
          .replace(/\s/g, ''),
      ).toBe(given.replace(/\s/g, ''))
      for (const { text: piece, startLine, endLine } of pieces) {
        expect(piece.trim()).not.toBe('')
        expect(piece.length).toBeLessThanOrEqual(1_201)
        expect(piece.isWellFormed()).toBe(true)
        const whole = lines.slice(startLine - 1, endLine).join('\n')
        if (startLine === endLine) expect(whole).toContain(piece)
        else expect(piece).toBe(whole)
      }
    }),
    { numRuns: 200 },
  )
})
