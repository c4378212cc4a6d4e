import { describe, expect, it } from 'vitest'
import { compareDocuments, type OpenApi, operationIds } from '../scripts/wire/compare-documents.ts'
import type { Schema } from '../scripts/wire/flatten-schema.ts'
import { addDifferences, reviewDifferences } from '../scripts/wire/reviewed-differences.ts'

const content = (schema: Schema) => ({ content: { 'application/json': { schema } } })
const object = (properties: Record<string, Schema>, required: string[] = []): Schema => ({
  type: 'object',
  properties,
  required,
})
const text: Schema = { type: 'string' }
const nullableText: Schema = { anyOf: [text, { type: 'null' }] }

const answering = (schema: Schema, schemas: Record<string, Schema> = {}): OpenApi => ({
  paths: { '/v1/things/{thing_id}': { get: { responses: { 200: content(schema) } } } },
  components: { schemas },
})
const taking = (schema: Schema): OpenApi => ({
  paths: { '/v1/things': { post: { requestBody: content(schema), responses: {} } } },
})
const withQuery = (schema: Schema, required = false): OpenApi => ({
  paths: { '/v1/things/': { get: { parameters: [{ in: 'query', name: 'limit', required, schema }] } } },
})

/** Without the operation's name. */
const told = (theirs: OpenApi, ours: OpenApi) => compareDocuments(theirs, ours).map((line) => line.split(/: (.*)/)[1])

describe('operations and parameters', () => {
  it('are found whatever their path parameters are called, and told where they are missing', () => {
    const theirs: OpenApi = { paths: { '/v1/a/{x}/': { get: {} }, '/v1/b': { get: {}, post: {} } } }
    const ours: OpenApi = { paths: { '/v1/a/{other}': { get: {} }, '/v1/b': { get: {} }, '/v1/more': { get: {} } } }
    expect(compareDocuments(theirs, ours)).toEqual(['POST /v1/b: operation is missing'])
    expect(operationIds(theirs)).toEqual(['GET /v1/a/{}', 'GET /v1/b', 'POST /v1/b'])
  })

  it('a parameter that is missing, stricter or of another type', () => {
    expect(told(withQuery(text), { paths: { '/v1/things': { get: {} } } })).toEqual([
      'query parameter limit is missing',
    ])
    expect(told(withQuery(nullableText), withQuery(text))).toEqual([])
    expect(told(withQuery(text), withQuery(text, true))).toEqual(['query parameter limit must be sent'])
    expect(told(withQuery(text), withQuery({ ...text, default: 'x' }, true))).toEqual([])
    expect(told(withQuery(text), withQuery({ type: 'integer' }))).toEqual([
      'query parameter limit does not take string',
    ])
    const order = (...values: string[]) => withQuery({ type: 'string', enum: values })
    expect(told(order('asc', 'desc'), order('asc'))).toEqual(['query parameter limit does not take "desc"'])
    expect(told(order('asc'), order('asc', 'desc'))).toEqual([])
  })
})

describe('bodies', () => {
  it('must take every field, with every type of it, and need none that was optional', () => {
    const theirs = taking(object({ a: nullableText, b: { type: 'array', items: object({ c: text }) }, d: text }, ['d']))
    const ours = taking(object({ a: text, b: { type: 'array', items: object({}) }, d: text, e: text }, ['a', 'd']))
    expect(told(theirs, ours)).toEqual(['body field .a must be sent', 'body field .a does not take null'])
    expect(told(theirs, taking(object({ a: nullableText, d: text })))).toEqual(['body field .b is missing'])
    const narrow = taking(object({ a: nullableText, b: { type: 'array', items: object({ x: text }) }, d: text }))
    expect(told(theirs, narrow)).toEqual(['body field .b[].c is missing'])
  })
})

describe('responses', () => {
  it('may be anything where one of the alternatives says nothing', () => {
    const theirs = answering({ anyOf: [{}, { type: 'null' }] })
    expect(told(theirs, answering(text))).toEqual([])
    expect(told(answering({ type: 'null' }), answering(text))).toEqual(['response can be string'])
  })

  it('must have every field, through references, lists and alternatives', () => {
    const schemas = {
      Thing: object({ id: text, parts: { type: 'array', items: { $ref: '#/components/schemas/Part' } } }, ['id']),
      Part: { anyOf: [object({ kind: { const: 'a' }, x: text }), object({ kind: { const: 'b' }, y: text })] },
    }
    const theirs = answering({ anyOf: [{ $ref: '#/components/schemas/Thing' }, { type: 'null' }] }, schemas)
    const part = object({ kind: { enum: ['a', 'b'], type: 'string' }, x: text })
    expect(told(theirs, answering(object({ id: text, parts: { type: 'array', items: part } })))).toEqual([
      'response field .parts[].y is missing',
    ])
    expect(told(theirs, answering(object({ id: text })))).toEqual(['response field .parts is missing'])
    expect(told(theirs, answering(object({ id: text, parts: { type: 'array', items: { type: 'object' } } })))).toEqual(
      [],
    )
  })

  it('must not have other types or values', () => {
    expect(told(answering(object({ a: text })), answering(object({ a: nullableText })))).toEqual([
      'response field .a can be null',
    ])
    expect(told(answering(object({ a: nullableText })), answering(object({ a: { type: 'null' } })))).toEqual([])
    const status = (...values: string[]) => answering(object({ a: { type: 'string', enum: values } }))
    expect(told(status('ok'), status('ok', 'odd'))).toEqual(['response field .a can be "odd"'])
    expect(told(answering({ type: 'array', items: text }), answering(object({ a: text })))).toEqual([
      'response can be object',
    ])
  })

  it('a schema that contains itself is followed once', () => {
    const schemas = { Node: object({ name: text, child: { $ref: '#/components/schemas/Node' } }) }
    const theirs = answering({ $ref: '#/components/schemas/Node' }, schemas)
    expect(told(theirs, answering(object({ name: text, child: { type: 'object' } })))).toEqual([])
    expect(told(theirs, answering(object({ child: { type: 'object' } })))).toEqual(['response field .name is missing'])
  })

  it('one that is not described at all', () => {
    const nothing: OpenApi = { paths: { '/v1/things/{id}': { get: { responses: { 200: {} } } } } }
    expect(told(answering(object({ a: text })), nothing)).toEqual(['response is not described'])
    expect(told(answering({}), nothing)).toEqual([])
    expect(told(answering(nullableText), nothing)).toEqual([])
  })
})

describe('the reviewed list', () => {
  const differences = ['GET /v1/a: operation is missing', 'GET /v1/b: query parameter x is missing']

  it('explains by lines and patterns; what is unknown, stale or without a reason is told', () => {
    expect(
      reviewDifferences(differences, [{ differences: ['GET /v1/a*', differences[1] ?? ''], reason: 'so' }]),
    ).toEqual({
      unknown: [],
      stale: [],
      unreviewed: [],
    })
    expect(reviewDifferences(differences, [{ differences: ['GET /v1/a*', 'GET /v1/gone*'], reason: 'TODO' }])).toEqual({
      unknown: [differences[1]],
      stale: ['GET /v1/gone*'],
      unreviewed: ['GET /v1/a*', 'GET /v1/gone*'],
    })
    expect(
      reviewDifferences(['GET /v1/a{}.b: x'], [{ differences: ['GET /v1/a{}xb: x'], reason: 'so' }]).unknown,
    ).toHaveLength(1)
  })

  it('is written with what is new in it and without what is stale: families and equal differences together', () => {
    const found = [
      'GET /v1/gone: operation is missing',
      'POST /v1/gone/{}: operation is missing',
      'POST /v1/some: operation is missing',
      'GET /v1/x: response field [].f is missing',
      'GET /v1/x/{}: response field .f is missing',
      'GET /v1/known: operation is missing',
    ]
    const reviewed = [{ differences: ['GET /v1/known*', 'GET /v1/old*'], reason: 'known' }]
    const all = ['GET /v1/gone', 'POST /v1/gone/{}', 'POST /v1/some', 'GET /v1/some', 'GET /v1/x', 'GET /v1/x/{}']
    const next = addDifferences(found, reviewed, all)
    expect(next).toEqual([
      { differences: ['GET /v1/known*'], reason: 'known' },
      { differences: ['* /v1/gone*: operation is missing'], reason: 'TODO' },
      { differences: ['POST /v1/some: operation is missing'], reason: 'TODO' },
      {
        differences: ['GET /v1/x: response field [].f is missing', 'GET /v1/x/{}: response field .f is missing'],
        reason: 'TODO',
      },
    ])
    const { unknown, stale, unreviewed } = reviewDifferences(found, next)
    expect([unknown, stale, unreviewed.length]).toEqual([[], [], 4])
  })
})
