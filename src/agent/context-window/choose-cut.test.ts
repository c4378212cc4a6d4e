import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { toTranscript } from '#agent/transcript.ts'
import type { MessageRow } from '#store/messages/message-row.ts'
import { messageRow } from '../../../test/support/message-row.ts'
import { refuseInvalidTranscript } from '../../../test/support/scripted-model.ts'
import { chooseCut } from './choose-cut.ts'

const user = (): MessageRow => messageRow({ role: 'user', content: [{ type: 'text', text: 'Hi' }] })
const answer = (): MessageRow => messageRow({ role: 'assistant', content: [{ type: 'text', text: 'Ho' }] })
const summary = (): MessageRow => messageRow({ role: 'summary', content: [{ type: 'text', text: 'Before.' }] })
const calls = (...ids: string[]): MessageRow =>
  messageRow({
    role: 'assistant',
    step_id: 'step-1',
    tool_calls: ids.map((id) => ({ tool_call_id: id, name: 't', arguments: '{}' })),
  })
const results = (...ids: string[]): MessageRow =>
  messageRow({
    role: 'tool',
    tool_returns: ids.map((id) => ({
      tool_call_id: id,
      name: 't',
      status: 'success',
      text: 'done',
      stdout: null,
      stderr: null,
      time: '2026-01-02T03:04:05Z',
    })),
  })

const cutOf = (rows: MessageRow[], over: Partial<Parameters<typeof chooseCut>[0]> = {}): number =>
  chooseCut({
    rows,
    tokens: rows.map(() => 100),
    firstOwnRow: rows.length,
    takesAll: false,
    percentage: 0.3,
    targetTokens: 100_000,
    ...over,
  })

const turns = (count: number): MessageRow[] => Array.from({ length: count }, () => [user(), answer()]).flat()

describe('chooseCut', () => {
  it('leaves out the part that is asked for, and more where that does not make room enough', () => {
    expect(cutOf(turns(10))).toBe(6)
    expect(cutOf(turns(10), { targetTokens: 1000 })).toBe(10)
    expect(cutOf(turns(10), { targetTokens: 0 })).toBe(20)
    expect(cutOf(turns(10), { percentage: 1 })).toBe(20)
    expect(cutOf(turns(1))).toBe(1)
    expect(cutOf(turns(1), { leastRows: 2 })).toBe(2)
  })

  it('leaves out everything that may leave where all is to', () => {
    expect(cutOf(turns(3), { takesAll: true })).toBe(6)
    expect(cutOf([...turns(3), user(), calls('a'), results('a')], { takesAll: true, firstOwnRow: 6 })).toBe(6)
  })

  it('takes the former summary with it, and nothing where only that is there', () => {
    expect(cutOf([summary(), ...turns(5)])).toBe(4)
    expect(cutOf([summary(), user()], { firstOwnRow: 1, takesAll: true })).toBe(0)
    expect(cutOf([user()], { firstOwnRow: 0, takesAll: true })).toBe(0)
    expect(cutOf([], { takesAll: true })).toBe(0)
  })

  it('never parts calls from their results', () => {
    const rows = [user(), calls('a'), results('a'), calls('b'), results('b'), answer(), user(), answer()]
    for (let percentage = 0.05; percentage < 1; percentage += 0.05) {
      expect(rows[cutOf(rows, { percentage })]?.role).not.toBe('tool')
    }
  })

  it('keeps a call that has no result yet, with what was said in its step', () => {
    const approval = messageRow({ ...calls('b'), role: 'approval' })
    const said = messageRow({ role: 'assistant', step_id: 'step-1', content: [{ type: 'text', text: 'May I?' }] })
    expect(cutOf([...turns(2), user(), calls('a')], { takesAll: true })).toBe(5)
    expect(cutOf([...turns(2), user(), said, approval], { takesAll: true })).toBe(5)
    expect(cutOf([...turns(2), user(), calls('a', 'b'), results('a')], { takesAll: true })).toBe(5)
    const answered = messageRow({ role: 'approval', run_id: 'run-2' })
    expect(cutOf([...turns(2), user(), calls('a'), answered], { takesAll: true, firstOwnRow: 6 })).toBe(5)
  })

  it('gives a valid transcript wherever it cuts', () => {
    const kinds = fc.constantFrom('turn', 'tools', 'two', 'note', 'failed')
    void fc.assert(
      fc.property(
        fc.array(kinds, { minLength: 1, maxLength: 25 }),
        fc.double({ min: 0.01, max: 1, noNaN: true }),
        fc.nat(3000),
        fc.boolean(),
        (list, percentage, targetTokens, takesAll) => {
          const rows = list.flatMap((kind, index) => {
            if (kind === 'turn') return [user(), answer()]
            if (kind === 'failed') return [user()]
            if (kind === 'note') return [user(), messageRow({ role: 'note', content: [{ type: 'text', text: 'x' }] })]
            const ids = kind === 'two' ? [`${index}a`, `${index}b`] : [`${index}a`]
            return [user(), calls(...ids), results(...ids), answer()]
          })
          const cut = cutOf(rows, { percentage, targetTokens, takesAll })
          const messages = toTranscript([summary(), ...rows.slice(cut)], { timezone: 'UTC', maxToolResultChars: 1000 })
          refuseInvalidTranscript({ messages: [{ role: 'system', text: 's' }, ...messages] } as never)
          expect(JSON.stringify(messages)).not.toContain('interrupted')
          expect(cut).toBeLessThanOrEqual(rows.length)
        },
      ),
    )
  })
})
