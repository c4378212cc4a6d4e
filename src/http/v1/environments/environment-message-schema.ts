import Type from 'typebox'
import { AnyObject, Nullable, StringEnum } from '#http/wire/nullable.ts'

const Text = Type.Union([Type.String(), Type.Array(Type.Object({ type: Type.Literal('text'), text: Type.String() }))])
const Lines = Type.Optional(Nullable(Type.Array(Type.String())))

const UserMessage = Type.Object({
  role: Type.Literal('user'),
  content: Text,
  client_message_id: Type.String(),
  otid: Type.Optional(Type.String()),
})
const ToolResult = Type.Object({
  type: Type.Optional(Type.Literal('tool')),
  tool_call_id: Type.String(),
  tool_return: Text,
  status: StringEnum(['success', 'error']),
  stdout: Lines,
  stderr: Lines,
})
const Approval = Type.Object({
  type: Type.Optional(Type.Literal('approval')),
  approve: Type.Boolean(),
  tool_call_id: Type.String(),
  reason: Type.Optional(Nullable(Type.String())),
  updated_input: Type.Optional(Nullable(AnyObject)),
})
const ApprovalMessage = Type.Object({
  type: Type.Literal('approval'),
  approvals: Type.Array(Type.Union([ToolResult, Approval])),
})

/** What an environment would be sent. */
export const EnvironmentMessagesSchema = Type.Object({
  messages: Type.Array(Type.Union([UserMessage, ApprovalMessage])),
  agentId: Type.Optional(Type.String()),
  conversationId: Type.Optional(Nullable(Type.String())),
})
