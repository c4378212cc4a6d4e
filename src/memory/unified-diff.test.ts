import { applyPatch } from 'diff'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { unifiedDiff } from './unified-diff.ts'

const side = (name: string, text: string) => ({ name, text })
const diff = (from: string, to: string) => unifiedDiff(side('version 1', from), side('version 2', to))

test('shows what changed, with the lines around it', () => {
  expect(diff('a\nb\nc\n', 'a\nx\nc\n')).toBe('--- version 1\n+++ version 2\n@@ -1,3 +1,3 @@\n a\n-b\n+x\n c\n')
})

test('is empty where nothing changed', () => {
  expect(diff('a\nb', 'a\nb')).toBe('')
})

test('tells that a last line has no end', () => {
  expect(diff('a', 'a\nb')).toContain('\\ No newline at end of file')
})

test('makes the one text of the other', () => {
  const line = fc.constantFrom('', 'a', 'b', '-a', '+b', '@@', ' c', '\\', 'é')
  const text = fc.array(line, { maxLength: 12 }).map((lines) => lines.join('\n'))
  fc.assert(
    fc.property(text, text, (from, to) => {
      if (from !== to) expect(applyPatch(from, diff(from, to))).toBe(to)
    }),
    {
      numRuns: 500,
    },
  )
})

test('takes a bounded time for texts that have nothing in common, and shows all of both', () => {
  const lines = (word: string) => Array.from({ length: 50_000 }, (_, n) => `${word}${n}`).join('\n')
  const start = performance.now()
  const shown = diff(lines('a'), lines('b'))
  expect(performance.now() - start).toBeLessThan(3000)
  expect(shown.split('\n').filter((line) => line.startsWith('-a'))).toHaveLength(50_000)
  expect(shown.split('\n').filter((line) => line.startsWith('+b'))).toHaveLength(50_000)
  expect(shown).toContain('@@ -1,50000 +1,50000 @@')
})
