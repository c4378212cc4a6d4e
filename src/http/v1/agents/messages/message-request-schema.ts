import Type, { type Static } from 'typebox'
import { IdSchema } from '#http/wire/ids.ts'
import { MESSAGE_TYPES } from '#http/wire/message-schema.ts'
import { AnyObject, Nullable, StringEnum } from '#http/wire/nullable.ts'

const TextContent = Type.Object({ type: Type.Literal('text'), text: Type.String() })
const ImageContent = Type.Object({
  type: Type.Literal('image'),
  source: Type.Union([
    Type.Object({
      type: Type.Optional(Type.Literal('base64')),
      media_type: Type.String(),
      data: Type.String(),
      detail: Type.Optional(Nullable(Type.String())),
    }),
    Type.Object({ type: Type.Literal('url'), url: Type.String() }),
  ]),
})
const Content = Type.Union([Type.String(), Type.Array(Type.Union([TextContent, ImageContent]), { minItems: 1 })])

const Lines = Type.Optional(Nullable(Type.Array(Type.String())))
const ToolReturnItem = Type.Object({
  type: Type.Optional(Type.Literal('tool')),
  tool_call_id: Type.String(),
  tool_return: Type.Union([Type.String(), Type.Array(Type.Union([TextContent, ImageContent]))]),
  status: StringEnum(['success', 'error']),
  stdout: Lines,
  stderr: Lines,
})
export type ToolReturnItem = Static<typeof ToolReturnItem>
const ApprovalItem = Type.Object({
  type: Type.Optional(Type.Literal('approval')),
  tool_call_id: Type.String(),
  approve: Type.Boolean(),
  reason: Type.Optional(Nullable(Type.String())),
})

const answerFields = {
  approvals: Type.Optional(
    Nullable(
      Type.Array(Type.Union([ApprovalItem, ToolReturnItem]), {
        minItems: 1,
        description: 'What is decided about each call that waits, or what the client has executed it with',
      }),
    ),
  ),
  approve: Type.Optional(Nullable(Type.Boolean({ description: 'Older: one decision for all calls that wait' }))),
  approval_request_id: Type.Optional(Nullable(Type.String())),
  reason: Type.Optional(Nullable(Type.String())),
  tool_returns: Type.Optional(Nullable(Type.Array(ToolReturnItem, { minItems: 1 }))),
}

const ClientTool = Type.Object({
  name: Type.String({ pattern: '^[a-zA-Z0-9_.-]{1,64}$' }),
  description: Type.Optional(Nullable(Type.String())),
  parameters: Type.Optional(Nullable(AnyObject)),
})

export const InputMessage = Type.Object({
  ...answerFields,
  type: Type.Optional(Nullable(StringEnum(['message', 'approval', 'tool_return']))),
  role: Type.Optional(StringEnum(['user', 'system', 'assistant'])),
  content: Type.Optional(Content),
  name: Type.Optional(Nullable(Type.String())),
  otid: Type.Optional(Nullable(Type.String())),
  sender_id: Type.Optional(Nullable(Type.String())),
  group_id: Type.Optional(Nullable(Type.String())),
})
export type InputMessage = Static<typeof InputMessage>

/** Fields of every request that sends messages to an agent. */
export const requestFields = {
  messages: Type.Optional(Nullable(Type.Array(InputMessage))),
  input: Type.Optional(Nullable(Content)),
  max_steps: Type.Optional(Nullable(Type.Integer({ minimum: 1, default: 50 }))),
  use_assistant_message: Type.Optional(Nullable(Type.Boolean())),
  assistant_message_tool_name: Type.Optional(Nullable(Type.String())),
  assistant_message_tool_kwarg: Type.Optional(Nullable(Type.String())),
  include_return_message_types: Type.Optional(Nullable(Type.Array(StringEnum(MESSAGE_TYPES)))),
  enable_thinking: Type.Optional(Nullable(Type.Union([Type.String(), Type.Boolean()]))),
  client_tools: Type.Optional(
    Nullable(Type.Array(ClientTool, { maxItems: 128, description: 'Tools that the client executes' })),
  ),
  client_skills: Type.Optional(Nullable(Type.Array(AnyObject))),
  override_model: Type.Optional(Nullable(Type.String())),
  override_system: Type.Optional(Nullable(Type.String())),
  include_compaction_messages: Type.Optional(Nullable(Type.Boolean())),
  return_logprobs: Type.Optional(Nullable(Type.Boolean({ description: 'Refused where true' }))),
  top_logprobs: Type.Optional(Nullable(Type.Integer({ description: 'Has no meaning without return_logprobs' }))),
  return_token_ids: Type.Optional(Nullable(Type.Boolean({ description: 'Refused where true' }))),
  on_busy: Type.Optional(
    Nullable(
      StringEnum(['queue', 'reject', 'interrupt'], {
        description:
          'What to do while another run has the conversation: wait for it, answer 409 with its run_id, or cancel it and all that wait. Not part of V1; queue unless told',
      }),
    ),
  ),
}

const streamingFields = {
  stream_tokens: Type.Optional(Nullable(Type.Boolean({ default: false }))),
  include_pings: Type.Optional(Nullable(Type.Boolean({ default: true }))),
  background: Type.Optional(Nullable(Type.Boolean({ default: false }))),
}

export const MessageRequest = Type.Object({
  ...requestFields,
  ...streamingFields,
  streaming: Type.Optional(Nullable(Type.Boolean({ default: false }))),
})
export type MessageRequest = Static<typeof MessageRequest>

/** In a conversation it is a stream unless told otherwise, and another run in the way is answered with 409. */
export const ConversationMessageRequest = Type.Object({
  ...requestFields,
  ...streamingFields,
  streaming: Type.Optional(Nullable(Type.Boolean({ default: true }))),
  agent_id: Type.Optional(
    Nullable(IdSchema('agent', "Whose default conversation, with the conversation id 'default'")),
  ),
})

/** Where to tell the end of a run or a batch. */
export const CallbackUrl = Type.String({ format: 'uri', minLength: 1, maxLength: 2083 })

export const AsyncMessageRequest = Type.Object({
  ...requestFields,
  callback_url: Type.Optional(Nullable(CallbackUrl)),
})
export type AsyncMessageRequest = Static<typeof AsyncMessageRequest>

export const UsageSchema = Type.Object({
  message_type: Type.Literal('usage_statistics'),
  completion_tokens: Type.Integer(),
  prompt_tokens: Type.Integer(),
  total_tokens: Type.Integer(),
  step_count: Type.Integer(),
  run_ids: Nullable(Type.Array(Type.String())),
  cached_input_tokens: Nullable(Type.Integer()),
  cache_write_tokens: Nullable(Type.Integer()),
  reasoning_tokens: Nullable(Type.Integer()),
  context_tokens: Nullable(Type.Integer()),
})
