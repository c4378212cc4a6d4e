import { expect, test } from 'vitest'
import { MissingVariable, resolveTemplate, withoutTemplates } from './resolve-template.ts'

test.each([
  ['Bearer {{ TOKEN }}', 'Bearer t0ken'],
  ['{{TOKEN}}{{ lower_1 }}', 't0kenx y'],
  ['{{ NONE | else }}', 'else'],
  ['{{ NONE | a b }}-{{TOKEN|x}}', 'a b-t0ken'],
  ['{{ NONE | }}', ''],
  ['{{ EMPTY | else }}', ''],
  ['{ TOKEN } {{ 1X }} {{ a b }}', '{ TOKEN } {{ 1X }} {{ a b }}'],
  ['$& {{ DOLLARS }}', "$& $&$'"],
])('%s', (text, expected) => {
  const variables = { TOKEN: 't0ken', lower_1: 'x y', EMPTY: '', DOLLARS: "$&$'" }
  expect(resolveTemplate(text, variables)).toBe(expected)
})

test('a missing variable is named, and nothing else is', () => {
  const resolve = () => resolveTemplate('{{ TOKEN }} {{ NONE }}', { TOKEN: 'planted' })
  expect(resolve).toThrow(MissingVariable)
  expect(resolve).toThrow(/^the variable NONE is not set$/)
  expect(() => resolveTemplate('{{ constructor }}', {})).toThrow(MissingVariable)
})

test('values are made to fit', () => {
  expect(resolveTemplate('https://x/{{ A }}?b={{ B | c&d }}', { A: '../e' }, encodeURIComponent)).toBe(
    'https://x/..%2Fe?b=c%26d',
  )
  expect(withoutTemplates('https://x/{{ A | b }}/c')).toBe('https://x/x/c')
})
