import { describe, expect, it } from 'vitest'
import { findCustomArgumentProblem } from './validate-arguments.ts'

const schema = (properties: object, more: object = {}) => ({ type: 'object', properties, ...more })

describe('arguments of a tool that somebody brings', () => {
  it('are not coerced: a text for a list is an error', () => {
    const lists = schema({ names: { type: 'array', items: { type: 'string' } } }, { required: ['names'] })
    expect(findCustomArgumentProblem(lists, { names: ['a'] })).toBeUndefined()
    expect(findCustomArgumentProblem(lists, { names: 'a' })).toMatch(/names must be array/)
    expect(findCustomArgumentProblem(lists, {})).toMatch(/names/)
  })

  it('are not held against regular expressions, of which one can take for ever', () => {
    const slow = schema({ text: { type: 'string', pattern: '^(a+)+$', format: 'email' } })
    expect(findCustomArgumentProblem(slow, { text: `${'a'.repeat(40)}!` })).toBeUndefined()
    expect(findCustomArgumentProblem({ ...slow, patternProperties: { '^(a+)+$': {} } }, { text: 'x' })).toBeUndefined()
  })

  it('pass where the schema is none', () => {
    for (const broken of [null, 'x', { type: 'nonsense' }, { $ref: '#/nowhere' }, schema({ a: { type: 5 } })]) {
      expect(findCustomArgumentProblem(broken, { a: 1 })).toBeUndefined()
    }
  })

  it('of two schemas with one id do not get in each other’s way', () => {
    const named = (type: string) => ({ $id: 'https://example.com/s', ...schema({ a: { type } }) })
    expect(findCustomArgumentProblem(named('string'), { a: 1 })).toBeDefined()
    expect(findCustomArgumentProblem(named('integer'), { a: 1 })).toBeUndefined()
  })
})
