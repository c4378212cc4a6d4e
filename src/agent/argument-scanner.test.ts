import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { ArgumentScanner } from './argument-scanner.ts'

function scan(text: string, apart: string[], size = 1): { rest: string; members: Record<string, string> } {
  const scanner = new ArgumentScanner(new Set(apart))
  const members: Record<string, string> = {}
  let rest = ''
  for (let at = 0; at < text.length; at += size) {
    for (const piece of scanner.write(text.slice(at, at + size))) {
      if (piece.key === null) rest += piece.text
      else members[piece.key] = (members[piece.key] ?? '') + piece.text
    }
  }
  return { rest, members }
}

it('takes members out of the text of an object, decoded, and leaves valid JSON', () => {
  const text = '{"thinking": "a \\"b\\"\\n\\u00e9\\ud83d\\ude00", "x": {"thinking": "mine"}, "request_heartbeat": true}'
  expect(scan(text, ['thinking'])).toEqual({
    rest: '{"x":{"thinking": "mine"},"request_heartbeat":true}',
    members: { thinking: 'a "b"\né😀' },
  })
  expect(scan('{"message":"hi"}', ['message'])).toEqual({ rest: '{}', members: { message: 'hi' } })
})

it('tells what is taken out before the rest, and passes on what is no object', () => {
  const scanner = new ArgumentScanner(new Set(['thinking']))
  expect(scanner.write('{"thinking":"Hm","a":1}').map((piece) => piece.key)).toEqual(['thinking', null])
  expect(scan('[1, 2]', ['a']).rest).toBe('[1, 2]')
  expect(scan("{'a': 1}", ['a']).rest).toBe("{'a': 1}")
  expect(scan('{"message": 5}', ['message'])).toEqual({ rest: '{"message":5}', members: {} })
})

it('reads every object as JSON.parse does, in whatever pieces it comes', () => {
  void fc.assert(
    fc.property(
      fc.dictionary(fc.string(), fc.jsonValue()),
      fc.string({ unit: 'grapheme' }),
      fc.integer({ min: 1, max: 9 }),
      fc.boolean(),
      (others, said, size, isPretty) => {
        const { message: _, ...rest } = JSON.parse(JSON.stringify(others)) as Record<string, unknown>
        const text = JSON.stringify({ ...rest, message: said }, null, isPretty ? 2 : 0)
        const scanned = scan(text, ['message'], size)
        expect(JSON.parse(scanned.rest)).toEqual(rest)
        expect(scanned.members.message ?? '').toBe(said)
      },
    ),
  )
})
