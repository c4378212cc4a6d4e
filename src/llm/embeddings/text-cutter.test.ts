import { expect, test } from 'vitest'
import { findMiniLm } from './find-minilm.ts'
import { MAX_CHARACTERS } from './local-embedding.ts'
import { openTextCutter } from './text-cutter.ts'

const cutter = await openTextCutter((await findMiniLm()).tokenizerPath)
const idsOf = (text: string): number[][] => cutter.cut(text).map((ids) => [...ids])

// by the `tokenizers` of PyPI (0.23.3), which is the reference, from the same tokenizer.json
test.each<[string, number[]]>([
  ['Hello, how are you?', [101, 7592, 1010, 2129, 2024, 2017, 1029, 102]],
  ['Café naïve UNAFFABLE', [101, 7668, 15743, 14477, 20961, 3468, 102]],
  [
    '你好 한국어 русский',
    [
      101, 100, 100, 1469, 30006, 30021, 29991, 30014, 30020, 29999, 30008, 1195, 29748, 29747, 29747, 23925, 15414,
      102,
    ],
  ],
  [
    "don't e-mail: nils@example.org — 50%",
    [101, 2123, 1005, 1056, 1041, 1011, 5653, 1024, 27282, 1030, 2742, 1012, 8917, 1517, 2753, 1003, 102],
  ],
  ['emoji 👩 ok', [101, 7861, 29147, 2072, 100, 7929, 102]],
  ['', [101, 102]],
])('the tokens of %j', (text, ids) => {
  expect(idsOf(text)).toEqual([ids])
})

test('a text of up to 256 tokens is one piece', () => {
  expect(idsOf('word '.repeat(254)).map((ids) => ids.length)).toEqual([256])
})

test('a longer one is cut into pieces of the same length, each with both ends', () => {
  const pieces = idsOf('word '.repeat(300))
  expect(pieces.map((ids) => ids.length)).toEqual([152, 152])
  for (const ids of pieces) expect([ids[0], ids.at(-1)]).toEqual([101, 102])
})

test('what is more than four pieces is not read', () => {
  const pieces = idsOf('a '.repeat(1_500))
  expect(pieces.map((ids) => ids.length)).toEqual([256, 256, 256, 256])
})

test('what is beyond the last character that is read makes no difference', () => {
  const text = 'sesquipedalian '.repeat(400).slice(0, MAX_CHARACTERS)
  expect(idsOf(`${text} and more`)).toEqual(idsOf(text))
})
