import Type from 'typebox'
import { modifyConversation } from '#agent/modify-conversation.ts'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { IdSchema } from '#http/wire/ids.ts'
import { parseMoment } from '#http/wire/moment.ts'
import { Nullable } from '#http/wire/nullable.ts'
import { ConversationSchema, conversationFields } from './conversation-schema.ts'
import { getConversation } from './get-conversation.ts'
import { presentConversation } from './present-conversation.ts'

const Body = Type.Object({
  ...conversationFields,
  last_message_at: Type.Optional(Nullable(Type.String({ description: 'ISO 8601' }))),
  archived: Type.Optional(Nullable(Type.Boolean({ description: 'Left out of lists that do not ask for it' }))),
})

export function updateConversation(app: App, context: Context): void {
  app.patch(
    '/v1/conversations/:conversation_id',
    {
      config: { permission: 'conversations:write' },
      schema: {
        operationId: 'update_conversation',
        tags: ['conversations'],
        summary: 'Change a conversation: what is left out stays, null clears',
        params: Type.Object({ conversation_id: IdSchema('conv') }),
        body: Body,
        response: { 200: ConversationSchema },
      },
    },
    async ({ actor, params, body }) => {
      const { last_message_at: time, ...change } = body
      await modifyConversation(context, actor, params.conversation_id, {
        ...change,
        last_message_at: time === null ? null : parseMoment('last_message_at', time),
      })
      return presentConversation(await getConversation(context.db, actor.organizationId, params.conversation_id))
    },
  )
}
