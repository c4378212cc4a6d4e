import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseToolArguments } from './parse-tool-arguments.ts'

const problemOf = (text: string): string => {
  const parsed = parseToolArguments(text)
  return parsed.ok ? 'none' : parsed.problem
}
const NUL = String.fromCharCode(0)
const LONE = String.fromCharCode(0xd800)

function isStorable(value: unknown): boolean {
  if (typeof value === 'string') return value.isWellFormed() && !value.includes(NUL)
  if (typeof value !== 'object' || value === null) return true
  return Object.entries(value).every(([key, item]) => isStorable(key) && isStorable(item))
}

describe('parseToolArguments', () => {
  it.each([
    ['', {}],
    [' \n', {}],
    ['{}', {}],
    ['{"a": 1}', { a: 1 }],
    ["{'a': 'b',}", { a: 'b' }],
    ['{a: "b"', { a: 'b' }],
    ['```json\n{"a": [1, 2]}\n```', { a: [1, 2] }],
    ['{"a": "line\nbreak"}', { a: 'line\nbreak' }],
    ['{"a": True, "b": None}', { a: true, b: null }],
  ])('reads %j', (text, value) => {
    expect(parseToolArguments(text)).toEqual({ ok: true, value })
  })

  it.each([
    ['[1]', 'an array'],
    ['"text"', 'a string'],
    ['null', 'null'],
    ['12', 'a number'],
  ])('refuses %s: not an object', (text, what) => {
    expect(problemOf(text)).toContain(what)
  })

  it('removes NUL and lone surrogates, also from escapes and keys', () => {
    const text = `{"a\\u0000": "x\\u0000y", "b": "\\ud800", "c": ["${LONE}z"], "d": "😀"}`
    expect(parseToolArguments(text)).toEqual({ ok: true, value: { a: 'xy', b: '\ufffd', c: ['\ufffdz'], d: '😀' } })
  })

  it('does not touch the prototype', () => {
    const parsed = parseToolArguments(
      '{"__proto__": {"polluted": 1}, "constructor": {"prototype": {"polluted": 1}}, "a": 1}',
    )
    if (!parsed.ok) throw new Error(parsed.problem)
    expect(Object.getPrototypeOf(parsed.value)).toBe(Object.prototype)
    expect(Object.keys(parsed.value)).toEqual(['constructor', 'a'])
    expect('polluted' in {}).toBe(false)
  })

  it('limits the depth, whatever brackets it is made of', () => {
    const nest = (open: string, close: string, depth: number) => open.repeat(depth) + close.repeat(depth)
    expect(parseToolArguments(`{"a":${nest('[', ']', 99)}}`).ok).toBe(true)
    expect(problemOf(`{"a":${nest('[', ']', 100)}}`)).toContain('100 levels')
    expect(problemOf(`${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`)).toContain('100 levels')
    expect(problemOf('['.repeat(100_000))).toContain('100 levels')
    expect(problemOf("{a:'".concat('[{'.repeat(50_000)))).toBeTypeOf('string')
    expect(parseToolArguments('{"a": "[[[[\\"{{"}').ok).toBe(true)
  })

  it('gives back every JSON object as it is, but for what cannot be stored', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue({ maxDepth: 5 })), (value) => {
        const parsed = parseToolArguments(JSON.stringify(value))
        if (!parsed.ok) return false
        const text = JSON.stringify(value)
        if (isStorable(value) && !text.includes('__proto__')) expect(parsed.value).toEqual(JSON.parse(text))
        return isStorable(parsed.value)
      }),
    )
  })

  it('never throws, and gives a storable object or a sentence', () => {
    const broken = fc
      .tuple(fc.dictionary(fc.string(), fc.jsonValue()), fc.nat(), fc.string({ unit: 'binary', maxLength: 3 }))
      .map(([value, at, junk]) => {
        const text = JSON.stringify(value)
        const place = at % (text.length + 1)
        return text.slice(0, place) + junk + text.slice(place + 1)
      })
    fc.assert(
      fc.property(fc.oneof(broken, fc.string({ unit: 'binary' }), fc.json()), (text) => {
        const parsed = parseToolArguments(text)
        return parsed.ok ? isStorable(parsed.value) && !Array.isArray(parsed.value) : parsed.problem.endsWith('.')
      }),
      { numRuns: 500 },
    )
  })
})
