import Type from 'typebox'
import { removeConversation } from '#agent/remove-conversation.ts'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { IdSchema } from '#http/wire/ids.ts'
import { NullBody, sendNull } from '#http/wire/send-null.ts'

export function deleteConversation(app: App, context: Context): void {
  app.delete(
    '/v1/conversations/:conversation_id',
    {
      config: { permission: 'conversations:write' },
      schema: {
        operationId: 'delete_conversation',
        tags: ['conversations'],
        summary: 'Delete a conversation with its own blocks and its messages, but for those that forks share',
        params: Type.Object({ conversation_id: IdSchema('conv') }),
        response: { 200: NullBody },
      },
    },
    async ({ actor, params }, reply) => {
      await removeConversation(context, actor, params.conversation_id)
      return sendNull(reply)
    },
  )
}
