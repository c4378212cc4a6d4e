import Type, { type Static } from 'typebox'
import { ModelSettingsSchema } from '#http/v1/agents/model-settings-schema.ts'
import { IdSchema } from '#http/wire/ids.ts'
import { AnyObject, Nullable, Timestamp } from '#http/wire/nullable.ts'
import { ConversationId } from './conversation-id.ts'

const INT32_MAX = 2_147_483_647

/** What a path names that takes `default` too. */
export const ThreadPath = Type.Object({ conversation_id: ConversationId })

/** Whose default conversation `default` means. */
export const AgentIdQuery = Type.Optional(
  IdSchema('agent', "Whose default conversation, with the conversation id 'default'"),
)

/** A conversation as sent. */
export const ConversationSchema = Type.Object({
  id: Type.String(),
  agent_id: Type.String(),
  summary: Nullable(Type.String()),
  description: Nullable(Type.String()),
  in_context_message_ids: Type.Array(Type.String(), { description: 'The system message, then the newest in context' }),
  isolated_block_ids: Type.Array(Type.String(), { description: 'Blocks of this conversation alone' }),
  model: Nullable(Type.String({ description: "Handle, in place of the agent's" })),
  model_settings: Nullable(AnyObject),
  context_window_limit: Nullable(Type.Integer({ description: "Tokens, in place of the agent's limit" })),
  archived: Type.Boolean(),
  archived_at: Nullable(Timestamp),
  last_message_at: Nullable(Timestamp),
  created_at: Timestamp,
  updated_at: Timestamp,
  created_by_id: Nullable(Type.String()),
  last_updated_by_id: Nullable(Type.String()),
})
export type ConversationWire = Static<typeof ConversationSchema>

/** What clients say when they make a conversation, and when they change it. */
export const conversationFields = {
  summary: Type.Optional(Nullable(Type.String())),
  description: Type.Optional(Nullable(Type.String())),
  model: Type.Optional(Nullable(Type.String({ description: 'Handle provider/model' }))),
  model_settings: Type.Optional(Nullable(ModelSettingsSchema)),
  context_window_limit: Type.Optional(
    Nullable(Type.Integer({ minimum: 1, maximum: INT32_MAX, description: 'Tokens' })),
  ),
}
