import Type from 'typebox'
import { AnyObject, Nullable, StringEnum, Timestamp } from './nullable.ts'
import type { MessageWire } from './present-message.ts'

const base = {
  id: Type.String(),
  date: Timestamp,
  name: Nullable(Type.String()),
  otid: Nullable(Type.String()),
  sender_id: Nullable(Type.String()),
  step_id: Nullable(Type.String()),
  is_err: Nullable(Type.Boolean()),
  seq_id: Nullable(Type.Integer()),
  run_id: Nullable(Type.String()),
}
const Content = Type.Union([Type.String(), Type.Array(AnyObject)])
const ToolCall = Type.Object({ name: Type.String(), arguments: Type.String(), tool_call_id: Type.String() })
const ToolStatus = StringEnum(['success', 'error'])
const Lines = Nullable(Type.Array(Type.String()))

const MessageUnion = Type.Union([
  Type.Object({ ...base, message_type: Type.Literal('system_message'), content: Type.String() }),
  Type.Object({ ...base, message_type: Type.Literal('user_message'), content: Content }),
  Type.Object({ ...base, message_type: Type.Literal('assistant_message'), content: Content }),
  Type.Object({
    ...base,
    message_type: Type.Literal('reasoning_message'),
    source: StringEnum(['reasoner_model', 'non_reasoner_model']),
    reasoning: Type.String(),
    signature: Nullable(Type.String()),
  }),
  Type.Object({
    ...base,
    message_type: Type.Literal('hidden_reasoning_message'),
    state: StringEnum(['redacted', 'omitted']),
    hidden_reasoning: Nullable(Type.String()),
  }),
  Type.Object({
    ...base,
    message_type: Type.Literal('tool_call_message'),
    tool_call: ToolCall,
    tool_calls: Type.Array(ToolCall),
  }),
  Type.Object({
    ...base,
    message_type: Type.Literal('tool_return_message'),
    tool_return: Type.String(),
    status: ToolStatus,
    tool_call_id: Type.String(),
    stdout: Lines,
    stderr: Lines,
    tool_returns: Type.Array(
      Type.Object({
        type: Type.Literal('tool'),
        tool_return: Content,
        status: ToolStatus,
        tool_call_id: Type.String(),
        stdout: Lines,
        stderr: Lines,
      }),
    ),
  }),
  Type.Object({
    ...base,
    message_type: Type.Literal('summary_message'),
    summary: Type.String(),
    compaction_stats: Nullable(AnyObject),
  }),
  Type.Object({
    ...base,
    message_type: Type.Literal('event_message'),
    event_type: Type.Literal('compaction'),
    event_data: AnyObject,
  }),
  Type.Object({
    ...base,
    message_type: Type.Literal('approval_request_message'),
    tool_call: ToolCall,
    tool_calls: Type.Array(ToolCall),
  }),
  Type.Object({
    ...base,
    message_type: Type.Literal('approval_response_message'),
    approvals: Type.Array(
      Type.Union([
        Type.Object({
          type: Type.Literal('approval'),
          tool_call_id: Type.String(),
          approve: Type.Boolean(),
          reason: Nullable(Type.String()),
        }),
        Type.Object({
          type: Type.Literal('tool'),
          tool_call_id: Type.String(),
          tool_return: Content,
          status: ToolStatus,
          stdout: Lines,
          stderr: Lines,
        }),
      ]),
    ),
    approve: Nullable(Type.Boolean()),
    approval_request_id: Nullable(Type.String()),
    reason: Nullable(Type.String()),
  }),
])

/** A message as clients read it; `message_type` tells the kinds apart. */
export const MessageSchema = Type.Unsafe<MessageWire>(MessageUnion)

export const MESSAGE_TYPES = [
  'system_message',
  'user_message',
  'assistant_message',
  'reasoning_message',
  'hidden_reasoning_message',
  'tool_call_message',
  'tool_return_message',
  'approval_request_message',
  'approval_response_message',
  'summary_message',
  'event_message',
] as const

export const MessageListSchema = Type.Array(MessageSchema)
