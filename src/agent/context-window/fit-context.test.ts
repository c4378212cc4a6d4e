import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { MessageRow } from '#store/messages/message-row.ts'
import { messageRow } from '../../../test/support/message-row.ts'
import { estimateRow, fitContext } from './fit-context.ts'

function row(role: MessageRow['role'], text: string): MessageRow {
  if (role !== 'tool') return messageRow({ role, content: [{ type: 'text', text }] })
  const result = {
    tool_call_id: 'a',
    name: 't',
    status: 'success',
    text,
    stdout: null,
    stderr: null,
    time: '',
  } as const
  return messageRow({ role, tool_returns: [result] })
}

const fit = (rows: MessageRow[], limitTokens: number) =>
  fitContext({ rows, tokens: rows.map(estimateRow), limitTokens })

const words = (count: number): string => 'word '.repeat(count)

describe('fitContext', () => {
  it('leaves rows alone that fit', () => {
    const rows = [row('user', 'a'), row('assistant', 'b'), row('user', 'c')]
    expect(fit(rows, 10_000)).toMatchObject({ rows })
  })

  it('leaves no row out, but shortens its texts, in the copy only', () => {
    const rows = [row('user', words(30_000)), row('tool', words(30_000))]
    const result = fit(rows, 8000)
    expect(result.rows).toHaveLength(2)
    expect(result.tokens).toBeLessThanOrEqual(8000)
    expect(JSON.stringify(result.rows)).toContain('characters left out')
    expect(JSON.stringify(rows)).not.toContain('characters left out')
  })

  it('always fits when the texts can be shortened far enough', () => {
    const role = fc.constantFrom('user', 'assistant', 'tool') as fc.Arbitrary<MessageRow['role']>
    const rows = fc.array(fc.tuple(role, fc.integer({ min: 0, max: 40_000 })), { minLength: 1, maxLength: 20 })
    void fc.assert(
      fc.property(rows, (list) => {
        const all = list.map(([who, count]) => row(who, 'lorem '.repeat(count / 6)))
        const result = fit(all, 16_000)
        expect(result.tokens).toBeLessThanOrEqual(16_000)
        expect(result.rows).toHaveLength(all.length)
      }),
      { numRuns: 50 },
    )
  })
})
