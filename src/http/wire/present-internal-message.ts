import Type from 'typebox'
import type { ContentPart } from '#llm/model.ts'
import type { MessageRow } from '#store/messages/message-row.ts'
import { AnyObject, Nullable, StringEnum, Timestamp } from './nullable.ts'

export const MESSAGE_ROLES = ['assistant', 'user', 'tool', 'function', 'system', 'approval', 'summary'] as const

/** A stored message as V1 showed it where it did not turn it into messages for people: in searches and in the context window. */
export const InternalMessageSchema = Type.Object({
  id: Type.String(),
  role: StringEnum(MESSAGE_ROLES),
  agent_id: Nullable(Type.String()),
  conversation_id: Nullable(Type.String()),
  content: Nullable(Type.Array(AnyObject)),
  name: Nullable(Type.String()),
  model: Nullable(Type.String()),
  tool_calls: Nullable(Type.Array(AnyObject)),
  tool_call_id: Nullable(Type.String()),
  tool_returns: Nullable(Type.Array(AnyObject)),
  otid: Nullable(Type.String()),
  step_id: Nullable(Type.String()),
  run_id: Nullable(Type.String()),
  sender_id: Nullable(Type.String()),
  group_id: Nullable(Type.String()),
  batch_item_id: Type.Null(),
  is_err: Nullable(Type.Boolean()),
  approval_request_id: Nullable(Type.String()),
  approve: Nullable(Type.Boolean()),
  denial_reason: Nullable(Type.String()),
  approvals: Nullable(Type.Array(AnyObject)),
  created_at: Timestamp,
  updated_at: Nullable(Timestamp),
  created_by_id: Nullable(Type.String()),
  last_updated_by_id: Nullable(Type.String()),
})

function presentPart(part: ContentPart): Record<string, unknown> {
  if (part.type === 'text') return { type: 'text', text: part.text, signature: null }
  if (part.type === 'image') return { type: 'image', source: part.source }
  if (part.type === 'redacted_reasoning') return { type: 'redacted_reasoning', data: part.data }
  return { type: 'reasoning', is_native: true, reasoning: part.reasoning, signature: part.signature ?? null }
}

/** @param conversationId as clients know it: null for a default conversation */
export function presentInternalMessage(message: MessageRow, conversationId: string | null) {
  const returns = message.tool_returns
  return {
    id: message.id,
    // notes are shown to nobody
    role: message.role === 'note' ? ('assistant' as const) : message.role,
    agent_id: message.agent_id,
    conversation_id: conversationId,
    content: message.content.map(presentPart),
    name: message.name ?? returns?.[0]?.name ?? null,
    model: message.model,
    tool_calls:
      message.tool_calls?.map((call) => ({
        id: call.tool_call_id,
        type: 'function',
        function: { name: call.name, arguments: call.arguments },
      })) ?? null,
    tool_call_id: returns?.[0]?.tool_call_id ?? null,
    tool_returns:
      returns?.map(({ tool_call_id, status, text, stdout, stderr }) => ({
        tool_call_id,
        status,
        stdout,
        stderr,
        func_response: text,
      })) ?? null,
    otid: message.otid,
    step_id: message.step_id,
    run_id: message.run_id,
    sender_id: message.sender_id,
    group_id: message.group_id,
    batch_item_id: null,
    is_err: message.is_err,
    approval_request_id: null,
    approve: null,
    denial_reason: null,
    approvals: null,
    created_at: message.created_at.toISOString(),
    updated_at: null,
    created_by_id: null,
    last_updated_by_id: null,
  }
}
