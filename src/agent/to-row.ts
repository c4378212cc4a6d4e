import type { MessageRow, NewMessage } from '#store/messages/message-row.ts'
import type { Turn } from './open-turn.ts'

/** A message of this run as the table will have it. */
export function toRow(turn: Pick<Turn, 'thread' | 'run'>, message: NewMessage): MessageRow {
  return {
    id: message.id,
    seq: Number.MAX_SAFE_INTEGER,
    agent_id: turn.thread.agent_id,
    conversation_id: turn.thread.conversation_id,
    role: message.role,
    content: message.content,
    tool_calls: message.tool_calls ?? null,
    tool_returns: message.tool_returns ?? null,
    approvals: message.approvals ?? null,
    name: message.name ?? null,
    model: message.model ?? null,
    otid: message.otid ?? null,
    step_id: message.step_id ?? null,
    run_id: turn.run.id,
    sender_id: message.sender_id ?? null,
    group_id: null,
    is_err: message.is_err ?? null,
    created_at: new Date(),
  }
}
