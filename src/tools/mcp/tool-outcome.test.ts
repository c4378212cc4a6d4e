import { expect, test } from 'vitest'
import { toToolOutcome } from './tool-outcome.ts'

const text = (value: string) => ({ type: 'text' as const, text: value })
const image = (data: string, mimeType = 'image/png') => ({ type: 'image' as const, data, mimeType })

test('texts are joined by a space', () => {
  expect(toToolOutcome({ content: [text('a'), text('b')] })).toEqual({ status: 'success', text: 'a b' })
})

test('nothing is said to be nothing', () => {
  expect(toToolOutcome({ content: [] }).text).toBe('Empty response from tool')
  expect(toToolOutcome({ content: [text('')] }).text).toBe('Empty response from tool')
})

test('an error is one', () => {
  expect(toToolOutcome({ content: [text('no')], isError: true })).toEqual({ status: 'error', text: 'no' })
})

test('images are images, and those that no model takes are told', () => {
  const outcome = toToolOutcome({ content: [text('see'), image('AAAA'), image('BBBB', 'image/tiff')] })
  expect(outcome.images).toEqual([{ type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AAAA' } }])
  expect(outcome.text).toBe('see [image, image/tiff, 4 characters of base64, left out]')
  expect(toToolOutcome({ content: [image('AAAA')] }).text).toBe('1 image')
  expect(toToolOutcome({ content: Array.from({ length: 12 }, () => image('AAAA')) }).images).toHaveLength(10)
})

test('structured content stands in for texts, resources are JSON', () => {
  expect(toToolOutcome({ content: [], structuredContent: { a: 1 } }).text).toBe('{"a":1}')
  expect(toToolOutcome({ content: [text('one')], structuredContent: { a: 1 } }).text).toBe('one')
  const resource = { type: 'resource' as const, resource: { uri: 'file:///a', text: 'hello' } }
  expect(JSON.parse(toToolOutcome({ content: [resource] }).text)).toEqual({ uri: 'file:///a', text: 'hello' })
  const blob = { type: 'resource' as const, resource: { uri: 'file:///a', blob: 'AAAA' } }
  expect(toToolOutcome({ content: [blob] }).text).toContain('[4 characters of base64, left out]')
  const link = { type: 'resource_link' as const, uri: 'file:///a', name: 'a' }
  expect(JSON.parse(toToolOutcome({ content: [link] }).text)).toMatchObject({ uri: 'file:///a' })
  expect(toToolOutcome({ content: [{ type: 'audio', data: 'AA', mimeType: 'audio/wav' }] }).text).toContain(
    '[audio, audio/wav',
  )
})
