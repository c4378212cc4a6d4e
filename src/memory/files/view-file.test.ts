import { expect, test } from 'vitest'
import { cutView, viewFile } from './view-file.ts'

const NOTE = '...[TRUNCATED]\n# NOTE: This block is truncated, use functions to view the full content.'
const text = 'one\r\ntwo\nthree\n'

test('a file from its beginning, and some of its lines', () => {
  expect(viewFile(text, { lineCount: 3, range: null }, 1000)).toBe(
    '[Viewing file start (out of 3 lines)]\n1: one\n2: two\n3: three',
  )
  expect(viewFile(text, { lineCount: 3, range: { start: 2, end: 3 } }, 1000)).toBe(
    '[Viewing lines 2 to 3 (out of 3 lines)]\n2: two\n3: three',
  )
  expect(viewFile('', { lineCount: 0, range: null }, 1000)).toBe('[Viewing file start (out of 0 lines)]')
})

test('the beginning of a text gives the same as all of it', () => {
  const long = 'a line of the file\n'.repeat(500)
  for (const limit of [0, 1, 40, 200, 5_000]) {
    const file = { lineCount: 500, range: null }
    expect(viewFile(long.slice(0, limit), file, limit)).toBe(viewFile(long, file, limit))
  }
})

test('cutting twice is cutting at the smaller limit, and never through a character', () => {
  expect(cutView('abcdef', 6)).toBe('abcdef')
  expect(cutView('abcdef', 3)).toBe(`abc${NOTE}`)
  expect(cutView(cutView('abcdef', 4), 2)).toBe(`ab${NOTE}`)
  expect(cutView(cutView('abcdef', 4), 4)).toBe(`abcd${NOTE}`)
  expect(cutView('a🐙', 2).isWellFormed()).toBe(true)
})
