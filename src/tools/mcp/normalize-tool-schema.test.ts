import { expect, test } from 'vitest'
import { normalizeToolSchema } from './normalize-tool-schema.ts'

const object = (properties: object, more: object = {}) => ({ type: 'object', properties, ...more })

test('types are filled in, objects with names are closed, maps stay open', () => {
  const { parameters, health } = normalizeToolSchema({
    $schema: 'http://json-schema.org/draft-07/schema#',
    properties: {
      mode: { enum: ['a', 'b'] },
      list: { items: { properties: { x: { type: 'number' } } } },
      map: { type: 'object' },
      open: { type: 'object', properties: { y: {} }, additionalProperties: true },
      one: { const: 3, default: { type: 'kept' } },
    },
    required: ['mode'],
  })
  expect(parameters).toEqual({
    type: 'object',
    properties: {
      mode: { type: 'string', enum: ['a', 'b'] },
      list: { type: 'array', items: object({ x: { type: 'number' } }, { additionalProperties: false }) },
      map: { type: 'object' },
      open: object({ y: {} }, { additionalProperties: true }),
      one: { type: 'integer', const: 3, default: { type: 'kept' } },
    },
    required: ['mode'],
    additionalProperties: false,
  })
  expect(health.status).toBe('NON_STRICT_ONLY')
  expect(health.reasons).toContain('the arguments: not required: list, map, open, one')
  expect(health.reasons).toContain('open.y: no type')
})

test('references are written out, and one into itself is a plain object', () => {
  const node = object({ next: { $ref: '#/$defs/node', description: 'the next' }, 'a/b': { type: 'string' } })
  const { parameters, health } = normalizeToolSchema({
    ...object({ first: { $ref: '#/$defs/node' }, same: { $ref: '#/properties/plain' }, plain: { type: 'integer' } }),
    $defs: { node },
  })
  expect(parameters).toMatchObject({
    properties: {
      first: { type: 'object', properties: { next: { type: 'object', description: 'the next' } } },
      same: { type: 'integer' },
    },
  })
  expect(JSON.stringify(parameters)).not.toMatch(/\$ref|\$defs/)
  expect(health.status).toBe('NON_STRICT_ONLY')
})

test('what the strict mode takes is told', () => {
  expect(normalizeToolSchema(object({ a: { type: 'string' } }, { required: ['a'] })).health).toEqual({
    status: 'STRICT_COMPLIANT',
    reasons: [],
  })
  expect(normalizeToolSchema({ type: 'object' }).health.status).toBe('STRICT_COMPLIANT')
})

const bomb = () => {
  const $defs: Record<string, object> = { d0: { type: 'string' } }
  for (let depth = 1; depth < 30; depth += 1) {
    const $ref = `#/$defs/d${depth - 1}`
    $defs[`d${depth}`] = object({ a: { $ref }, b: { $ref } })
  }
  return { ...object({ x: { $ref: '#/$defs/d29' } }), $defs }
}

test.each<[string, unknown, RegExp]>([
  ['nothing', undefined, /no object/],
  ['a list', [], /no object/],
  ['another type', { type: 'string' }, /its type is "string"/],
  ['a reference to nowhere', object({ a: { $ref: '#/$defs/none' } }), /refers to "#\/\$defs\/none"/],
  ['a reference outside', object({ a: { $ref: 'https://example.com/x' } }), /refers to "https/],
  ['properties that are none', { type: 'object', properties: [] }, /.+/],
  ['a type that is none', object({ a: { type: 'strange' } }), /no JSON Schema/],
  ['a requirement that nobody can meet', object({}, { required: ['a'] }), /requires "a"/],
  ['one that unfolds', bomb(), /more than 2000 types/],
  ['one that is too long', object({ a: { type: 'string', description: 'x'.repeat(100_001) } }), /characters/],
])('%s is INVALID, with the reason', (_what, schema, reason) => {
  const { health } = normalizeToolSchema(schema)
  expect(health.status).toBe('INVALID')
  expect(health.reasons.join()).toMatch(reason)
})
