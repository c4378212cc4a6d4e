import { describe, expect, test } from 'vitest'
import { toTranscript } from '#agent/transcript.ts'
import type { MessageRow } from '#store/messages/message-row.ts'
import type { BundledMessage, BundledResult } from './bundle.ts'
import { type ImportedMessage, repairHistory } from './repair-history.ts'

const NOW = new Date('2026-03-01T00:00:00Z')
const message = (role: BundledMessage['role'], over: Partial<BundledMessage> = {}): BundledMessage => ({
  role,
  content: [],
  toolCalls: [],
  results: [],
  name: null,
  model: null,
  otid: null,
  senderId: null,
  createdAt: new Date('2025-01-01T00:00:00Z'),
  ...over,
})
const said = (role: BundledMessage['role'], text: string) => message(role, { content: [{ type: 'text', text }] })
const calling = (...ids: string[]) =>
  message('assistant', { toolCalls: ids.map((id) => ({ tool_call_id: id, name: `tool_${id}`, arguments: '{}' })) })
const result = (id: string, text: string): BundledResult => ({
  tool_call_id: id,
  status: 'success',
  text,
  stdout: null,
  stderr: null,
})
const answering = (role: 'tool' | 'approval', ...results: BundledResult[]) => message(role, { results })

/** `role`, or `role: results`. */
const shape = (rows: readonly ImportedMessage[]) =>
  rows.map((row) =>
    row.tool_returns === undefined ? row.role : `${row.role}: ${row.tool_returns.map((r) => r.text).join()}`,
  )
const NOTHING = expect.stringContaining('There is no result')

describe('repairHistory', () => {
  test.each<[string, BundledMessage[], unknown[]]>([
    ['results stand after their calls', [calling('a'), answering('tool', result('a', 'A'))], ['assistant', 'tool: A']],
    ['a call without a result gets one', [calling('a'), said('user', 'hi')], ['assistant', NOTHING, 'user']],
    ['a result without a call is dropped', [answering('tool', result('a', 'A')), said('user', 'hi')], ['user']],
    [
      'one message per result becomes one with all, in the order of the calls',
      [calling('a', 'b'), answering('tool', result('b', 'B')), answering('tool', result('a', 'A'))],
      ['assistant', 'tool: A,B'],
    ],
    [
      'what was said in between comes after the results',
      [calling('a'), said('user', 'hurry'), answering('tool', result('a', 'A'))],
      ['assistant', 'tool: A', 'user'],
    ],
    [
      'the same id twice in one message is one call',
      [calling('a', 'a'), answering('tool', result('a', 'A'))],
      ['assistant', 'tool: A'],
    ],
    [
      'an id that is used again is another call',
      [calling('a'), answering('tool', result('a', '1')), calling('a'), answering('tool', result('a', '2'))],
      ['assistant', 'tool: 1', 'assistant', 'tool: 2'],
    ],
    [
      'a second result is dropped',
      [calling('a'), answering('tool', result('a', '1')), answering('tool', result('a', '2'))],
      ['assistant', 'tool: 1'],
    ],
    [
      "the tool's result counts more than the answer to a request for approval",
      [calling('a'), answering('approval', result('a', 'agreed')), answering('tool', result('a', 'A'))],
      ['assistant', 'tool: A'],
    ],
    [
      'an answer to a request for approval is the result where there is no other',
      [calling('a'), answering('approval', result('a', 'denied'))],
      ['assistant', 'tool: denied'],
    ],
    ['empty messages are dropped', [message('user'), message('assistant'), said('assistant', 'x')], ['assistant']],
  ])('%s', (_, messages, rows) => {
    expect(shape(repairHistory(messages, NOW))).toEqual(rows)
  })

  test('a request for approval becomes a message of the model, so that its call can be answered', () => {
    const request = { ...calling('a'), role: 'approval' as const }
    expect(shape(repairHistory([request, answering('tool', result('a', 'A'))], NOW))).toEqual(['assistant', 'tool: A'])
  })

  test('times are kept; none is in the future', () => {
    const at = (iso: string | undefined) =>
      message('user', {
        content: [{ type: 'text', text: 'x' }],
        createdAt: iso === undefined ? undefined : new Date(iso),
      })
    const rows = repairHistory(
      [at(undefined), at('2024-05-01T00:00:00Z'), at(undefined), at('2999-01-01T00:00:00Z')],
      NOW,
    )
    expect(rows.map((row) => row.created_at.slice(0, 10))).toEqual([
      '2024-05-01',
      '2024-05-01',
      '2024-05-01',
      '2026-03-01',
    ])
  })

  test('the rows of any history give the transcript that they say, without repairs', () => {
    const history = [
      said('user', 'q'),
      calling('a', 'b'),
      answering('tool', result('b', 'B')),
      said('assistant', 'done'),
    ]
    const rows = repairHistory(history, NOW).map((row) => ({ ...row, created_at: new Date(row.created_at) }))
    const transcript = toTranscript(rows as unknown as MessageRow[], { timezone: 'UTC', maxToolResultChars: 1000 })
    expect(transcript.map((entry) => entry.role)).toEqual(['user', 'assistant', 'tool', 'assistant'])
    expect(JSON.stringify(transcript)).not.toContain('interrupted')
  })

  test('a long history takes time in proportion', () => {
    const history = Array.from({ length: 20_000 }, (_, i) => [
      calling(`c${i}`),
      answering('tool', result(`c${i}`, 'r')),
    ]).flat()
    const started = performance.now()
    expect(repairHistory(history, NOW)).toHaveLength(40_000)
    expect(performance.now() - started).toBeLessThan(3000)
  })
})
