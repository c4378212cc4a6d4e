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

const fit = (rows: MessageRow[], protectedFrom: number, budgetTokens: number) =>
  fitContext({ rows, tokens: rows.map(estimateRow), protectedFrom, fixedTokens: 500, budgetTokens })

const words = (count: number): string => 'word '.repeat(count)

describe('fitContext', () => {
  it('leaves a context alone that fits', () => {
    const rows = [row('user', 'a'), row('assistant', 'b'), row('user', 'c')]
    expect(fit(rows, 2, 10_000)).toMatchObject({ start: 0, rows })
  })

  it('cuts at the beginning of a turn, well below the limit, so that the next turns keep the prefix', () => {
    const turn = () => [
      row('user', words(200)),
      row('assistant', words(100)),
      row('tool', words(100)),
      row('assistant', words(100)),
    ]
    const rows = [...turn(), ...turn(), ...turn(), ...turn(), row('user', 'now')]
    const result = fit(rows, rows.length - 1, 2800)
    expect(result.start).toBeGreaterThan(0)
    expect(result.start % 4).toBe(0)
    expect(result.tokens).toBeLessThanOrEqual(2800 * 0.7)
  })

  it('never leaves out the running turn, but shortens its texts, in the copy only', () => {
    const rows = [row('user', words(30_000)), row('tool', words(30_000))]
    const result = fit(rows, 0, 8000)
    expect(result.start).toBe(0)
    expect(result.rows).toHaveLength(2)
    expect(result.tokens).toBeLessThanOrEqual(8000)
    expect(JSON.stringify(result.rows)).toContain('characters left out')
    expect(JSON.stringify(rows)).not.toContain('characters left out')
  })

  it('always fits when the texts can be shortened far enough', () => {
    const role = fc.constantFrom('user', 'assistant', 'tool') as fc.Arbitrary<MessageRow['role']>
    const rows = fc.array(fc.tuple(role, fc.integer({ min: 0, max: 40_000 })), { minLength: 1, maxLength: 20 })
    void fc.assert(
      fc.property(rows, fc.nat(), (list, at) => {
        const all = list.map(([who, count]) => row(who, 'lorem '.repeat(count / 6)))
        const result = fit(all, at % all.length, 16_000)
        expect(result.tokens).toBeLessThanOrEqual(16_000)
        expect(all.length - result.start).toBe(result.rows.length)
        expect(result.start).toBeLessThanOrEqual(at % all.length)
      }),
      { numRuns: 50 },
    )
  })
})
