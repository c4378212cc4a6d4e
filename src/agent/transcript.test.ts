import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { TranscriptMessage } from '#llm/model.ts'
import type { ToolReturn } from '#store/messages/message-row.ts'
import { messageRow as row } from '../../test/support/message-row.ts'
import { toTranscript } from './transcript.ts'

const options = { timezone: 'UTC', maxToolResultChars: 100 }

const user = (text: string) => row({ role: 'user', content: [{ type: 'text', text }] })
const assistant = (...ids: string[]) =>
  row({ role: 'assistant', tool_calls: ids.map((id) => ({ tool_call_id: id, name: 'tool', arguments: '{}' })) })
const result = (id: string, text = 'fine'): ToolReturn => ({
  tool_call_id: id,
  name: 'tool',
  status: 'success',
  text,
  stdout: null,
  stderr: null,
  time: '2026-01-02T03:04:05Z',
})
const tool = (...ids: string[]) => row({ role: 'tool', tool_returns: ids.map((id) => result(id)) })

/** Every provider's rule: a call is followed at once by exactly one result, and nothing is empty. */
function problems(transcript: readonly TranscriptMessage[]): string[] {
  return transcript.flatMap((message, index) => {
    const next = transcript[index + 1]
    if (message.role === 'assistant' && message.toolCalls.length > 0) {
      const wanted = message.toolCalls.map((call) => call.tool_call_id).join()
      const given = next?.role === 'tool' ? next.results.map((entry) => entry.tool_call_id).join() : ''
      return wanted === given ? [] : [`calls ${wanted} got ${given}`]
    }
    if (message.role === 'tool') {
      const before = transcript[index - 1]
      return before?.role === 'assistant' && before.toolCalls.length > 0 ? [] : ['orphan result']
    }
    return message.role !== 'system' && message.content.length === 0 ? ['empty message'] : []
  })
}

describe('toTranscript', () => {
  it('packages results as the model reads them, in the order of the calls', () => {
    const transcript = toTranscript([user('hi'), assistant('a', 'b'), tool('b', 'a')], options)
    expect(transcript[2]).toEqual({
      role: 'tool',
      results: ['a', 'b'].map((id) => ({
        tool_call_id: id,
        name: 'tool',
        status: 'success',
        text: '{"status":"OK","message":"fine","time":"2026-01-02 03:04:05 AM UTC+0000"}',
      })),
    })
  })

  it('says of a call without a result that it was interrupted', () => {
    const transcript = toTranscript([user('hi'), assistant('a', 'b'), tool('a')], options)
    expect(transcript[2]).toMatchObject({ results: [{ status: 'success' }, { tool_call_id: 'b', status: 'error' }] })
    expect(JSON.stringify(transcript[2])).toContain('interrupted')
  })

  it('cuts a long result and says so', () => {
    const long = row({ role: 'tool', tool_returns: [result('a', 'x'.repeat(150))] })
    expect(JSON.stringify(toTranscript([assistant('a'), long], options)[1])).toContain('... [truncated 50 chars]')
  })

  it('is valid whatever the rows are', () => {
    const ids = fc.uniqueArray(fc.constantFrom('a', 'b', 'c'), { minLength: 0, maxLength: 3 })
    const anyRow = fc.oneof(
      fc.string().map(user),
      ids.map((list) => assistant(...list)),
      ids.map((list) => tool(...list)),
      fc.constant(row({ role: 'approval' })),
      fc.constant(row({ role: 'system', content: [{ type: 'text', text: 'note' }] })),
    )
    void fc.assert(
      fc.property(fc.array(anyRow, { maxLength: 12 }), (rows) => {
        expect(problems(toTranscript(rows, options))).toEqual([])
      }),
    )
  })
})
