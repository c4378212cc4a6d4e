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

const request = (...ids: string[]) => ({ ...assistant(...ids), role: 'approval' as const })
const answer = (...ids: string[]) =>
  row({
    role: 'approval',
    approvals: ids.map((id) => ({ type: 'approval', tool_call_id: id, approve: true, reason: null })),
  })

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

  it('joins what was said in a step with its request, in the order of the results', () => {
    const rows = [user('hi'), assistant('b'), request('a', 'c'), answer('a', 'c'), tool('a', 'b', 'c'), user('on')]
    const transcript = toTranscript(rows, options)
    expect(transcript.map((message) => message.role)).toEqual(['user', 'assistant', 'tool', 'user'])
    const [, said, results] = transcript
    expect(said?.role === 'assistant' && said.toolCalls.map((call) => call.tool_call_id)).toEqual(['a', 'b', 'c'])
    expect(results?.role === 'tool' && results.results.map((entry) => entry.tool_call_id)).toEqual(['a', 'b', 'c'])
  })

  it('puts thoughts where the model writes them', () => {
    const thinking = row({
      role: 'assistant',
      content: [{ type: 'text', text: 'Hm.', is_thought: true }],
      tool_calls: [{ tool_call_id: 'a', name: 'tool', arguments: '{"x":1}' }],
    })
    const [said] = toTranscript([thinking, tool('a')], { ...options, thinksInCalls: true })
    expect(said).toMatchObject({ content: [], toolCalls: [{ arguments: '{"thinking":"Hm.","x":1}' }] })
    expect(toTranscript([thinking, tool('a')], options)[0]).toMatchObject({ content: [{ text: 'Hm.' }] })
  })

  it('is valid whatever the rows are', () => {
    const ids = fc.uniqueArray(fc.constantFrom('a', 'b', 'c'), { minLength: 0, maxLength: 3 })
    const anyRow = fc.oneof(
      fc.string().map(user),
      ids.map((list) => assistant(...list)),
      ids.map((list) => tool(...list)),
      ids.map((list) => request(...list)),
      ids.map((list) => answer(...list)),
      fc.constant(row({ role: 'system', content: [{ type: 'text', text: 'note' }] })),
    )
    void fc.assert(
      fc.property(fc.array(anyRow, { maxLength: 12 }), (rows) => {
        expect(problems(toTranscript(rows, options))).toEqual([])
      }),
    )
  })
})
