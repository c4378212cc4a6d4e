import { expect, it } from 'vitest'
import { createRedactor } from './redact-secrets.ts'

it('puts the name of a secret in the place of its value, the longest first', () => {
  const redact = createRedactor({ KEY: 'sk-abcdef', LONGER: 'sk-abcdef-and-more', MULTI: 'line one\nline two' })
  expect(redact('a sk-abcdef b sk-abcdef-and-more c')).toBe('a [secret KEY] b [secret LONGER] c')
  expect(redact('x line one\nline two y')).toBe('x [secret MULTI] y')
})

it('leaves short values, which are words', () => {
  expect(createRedactor({ MODE: 'prod', EMPTY: '' })('in prod')).toBe('in prod')
})

it('takes a value as it is, whatever it looks like', () => {
  expect(createRedactor({ DOLLAR: '$&$1.*(', $: 'abcdefg$&' })('a $&$1.*( b abcdefg$&')).toBe(
    'a [secret DOLLAR] b [secret $]',
  )
})

it('finds it inside of JSON too', () => {
  const value = 'line "one"\nline two\\'
  expect(createRedactor({ PEM: value })(JSON.stringify({ key: value }))).toBe('{"key":"[secret PEM]"}')
})
