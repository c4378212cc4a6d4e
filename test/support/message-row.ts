import type { MessageRow } from '#store/messages/message-row.ts'

/** A stored message with what the test does not care about left empty. */
export function messageRow(over: Partial<MessageRow>): MessageRow {
  return {
    id: 'message-1',
    seq: 1,
    agent_id: 'agent-1',
    conversation_id: 'conv-1',
    role: 'user',
    content: [],
    tool_calls: null,
    tool_returns: null,
    approvals: null,
    name: null,
    model: null,
    otid: null,
    step_id: null,
    run_id: null,
    sender_id: null,
    group_id: null,
    is_err: null,
    created_at: new Date('2026-01-02T03:04:05Z'),
    ...over,
  }
}
