import fc from 'fast-check'
import { expect, test } from 'vitest'
import { diffLines } from './diff-lines.ts'

const show = (before: string, after: string) =>
  diffLines(before, after).map(({ type, line }) => `${type === 'added' ? '+' : '-'}${line}`)

test.each([
  ['', '', []],
  ['', 'a', ['+a']],
  ['a', '', ['-a']],
  ['a\nb\nc', 'a\nx\nc', ['-b', '+x']],
  ['a\nb', 'a\nb\nc', ['+c']],
  ['a\nb\na', 'a\na', ['-b']],
  ['a\nb\nc\nd', 'b\nx\nd\ne', ['-a', '-c', '+x', '+e']],
])('%j to %j', (before, after, changes) => {
  expect(show(before, after)).toEqual(changes)
})

test('the lines that stay are the same on both sides, whatever the texts', () => {
  const text = fc.array(fc.constantFrom('a', 'b', 'c', ' ')).map((lines) => lines.join('\n'))
  const without = (text: string, lines: string[]) => {
    const rest = text === '' ? [] : text.split('\n')
    for (const line of lines) rest.splice(rest.indexOf(line), 1)
    return rest.sort()
  }
  fc.assert(
    fc.property(text, text, (before, after) => {
      const changes = diffLines(before, after)
      const of = (type: string) => changes.filter((change) => change.type === type).map((change) => change.line)
      expect(without(before, of('removed'))).toEqual(without(after, of('added')))
    }),
  )
})
