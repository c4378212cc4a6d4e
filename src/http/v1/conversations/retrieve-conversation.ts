import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { IdSchema } from '#http/wire/ids.ts'
import { ConversationSchema } from './conversation-schema.ts'
import { getConversation } from './get-conversation.ts'
import { presentConversation } from './present-conversation.ts'

export function retrieveConversation(app: App, context: Context): void {
  app.get(
    '/v1/conversations/:conversation_id',
    {
      config: { permission: 'conversations:read' },
      schema: {
        operationId: 'retrieve_conversation',
        tags: ['conversations'],
        summary: 'Read a conversation',
        params: Type.Object({ conversation_id: IdSchema('conv') }),
        response: { 200: ConversationSchema },
      },
    },
    async ({ actor, params }) =>
      presentConversation(await getConversation(context.db, actor.organizationId, params.conversation_id)),
  )
}
