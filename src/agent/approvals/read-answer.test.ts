import { describe, expect, it } from 'vitest'
import type { Approval } from '#store/messages/message-row.ts'
import { messageRow as row } from '../../../test/support/message-row.ts'
import { requestIdOf, toRequest } from './asked-calls.ts'
import { findPending, findTurnStart } from './find-pending.ts'
import { readAnswer } from './read-answer.ts'

const call = (id: string) => ({ tool_call_id: id, name: 'tool', arguments: '{}' })
const user = row({ id: 'message-u', role: 'user', run_id: 'run-1' })
const request = row({ id: 'message-r', role: 'approval', tool_calls: [call('a'), call('b')], run_id: 'run-1' })
const approval = (id: string, approve = true): Approval => ({
  type: 'approval',
  tool_call_id: id,
  approve,
  reason: null,
})
const answer = row({ role: 'approval', approvals: [approval('a'), approval('b')], run_id: 'run-2' })
const result = (id: string) => ({
  tool_call_id: id,
  name: 'tool',
  status: 'success' as const,
  text: '',
  stdout: null,
  stderr: null,
  time: '',
})
const tool = row({ role: 'tool', tool_returns: [result('a'), result('b')], run_id: 'run-2' })
const note = row({ role: 'note' })

const given = (approvals: Approval[] | null, over = {}) => ({
  messageId: 'message-x',
  otid: null,
  approvals,
  messages: [],
  ...over,
})

describe('findPending', () => {
  it('finds the request that nothing has settled', () => {
    expect(findPending([user, request])).toBe(request)
    expect(findPending([user, request, note, answer])).toBe(request)
    expect(findPending([user, request, answer, tool])).toBeUndefined()
    expect(findPending([user, request, row({ role: 'user' })])).toBeUndefined()
    expect(findPending([user])).toBeUndefined()
    expect(findPending([])).toBeUndefined()
  })
})

describe('findTurnStart', () => {
  it('goes back over every request that the turn has answered', () => {
    const before = row({ role: 'user', run_id: 'run-0' })
    const second = row({ role: 'approval', tool_calls: [call('c')], run_id: 'run-2' })
    const rows = [before, user, request, answer, tool, second]
    expect(findTurnStart(rows, { id: 'run-3', request: { answer: {} } })).toBe(1)
    expect(findTurnStart(rows, { id: 'run-3', request: {} })).toBe(6)
    expect(findTurnStart(rows, { id: 'run-0', request: {} })).toBe(0)
  })
})

describe('readAnswer', () => {
  it('takes an answer for all calls, in any order', () => {
    const read = readAnswer([user, request], given([approval('b'), approval('a', false)]))
    expect(read).toMatchObject({ kind: 'answer', request: { id: 'message-r' } })
  })

  it('lets one decision stand for all calls, and a cancellation deny them', () => {
    const blanket = { requestId: null, approve: true, reason: 'Go.' }
    expect(readAnswer([request], given(null, { blanket }))).toMatchObject({
      approvals: ['a', 'b'].map((id) => ({ tool_call_id: id, approve: true, reason: 'Go.' })),
    })
    expect(readAnswer([request], given(null, { isCancel: true }))).toMatchObject({
      approvals: [{ approve: false, reason: expect.stringContaining('cancelled') }, { approve: false }],
    })
  })

  it('knows an answer that came before, and only that', () => {
    const rows = [user, request, answer, tool]
    const same = given([approval('b'), approval('a')])
    expect(readAnswer(rows, same)).toEqual({ kind: 'duplicate', runId: 'run-2' })
    const next = row({ role: 'approval', tool_calls: [call('c')], run_id: 'run-2' })
    expect(readAnswer([...rows, next], same)).toEqual({ kind: 'duplicate', runId: 'run-2' })
    expect(readAnswer(rows, given([approval('b', false), approval('a')])).kind).toBe('refused')
    const later = Array.from({ length: 10 }, () => row({ role: 'user' }))
    expect(readAnswer([...rows, ...later], same).kind).toBe('refused')
  })
})

it('puts the request right before the message by its id, and leaves out a message that says nothing', () => {
  expect(requestIdOf('message-01a22ec9-9cd9-7678-9615-000000000000')).toBe(
    'message-01a22ec9-9cd9-7678-9614-ffffffffffff',
  )
  const message = {
    id: 'message-01a22ec9-9cd9-7678-9615-0403aad84ea2',
    role: 'assistant' as const,
    content: [],
    tool_calls: [call('a'), call('b')],
    search_text: '',
  }
  expect(toRequest(message, message.tool_calls).map(({ role }) => role)).toEqual(['approval'])
  expect(toRequest(message, message.tool_calls.slice(1)).map(({ tool_calls: calls }) => calls?.length)).toEqual([1, 1])
})
