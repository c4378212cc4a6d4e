import Type from 'typebox'
import * as domain from '#agent/fork-conversation.ts'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { IdSchema } from '#http/wire/ids.ts'
import { toThread } from './conversation-id.ts'
import { AgentIdQuery, ConversationSchema, ThreadPath } from './conversation-schema.ts'
import { getConversation } from './get-conversation.ts'
import { presentConversation } from './present-conversation.ts'

export function forkConversation(app: App, context: Context): void {
  app.post(
    '/v1/conversations/:conversation_id/fork',
    {
      config: { permission: 'conversations:write' },
      schema: {
        operationId: 'fork_conversation',
        tags: ['conversations'],
        summary: 'Begin a conversation that shares what another one has in context, and goes on by itself',
        params: ThreadPath,
        querystring: Type.Object({
          agent_id: AgentIdQuery,
          hidden: Type.Optional(Type.Boolean({ description: 'Left out of lists' })),
          message_id: Type.Optional(IdSchema('message', 'The last message that is shared; all without it')),
        }),
        response: { 200: ConversationSchema },
      },
    },
    async ({ actor, params, query }) => {
      const thread = toThread(params.conversation_id, query.agent_id)
      const options = { untilMessageId: query.message_id, hidden: query.hidden }
      const id = await domain.forkConversation(context, actor, thread, options)
      return presentConversation(await getConversation(context.db, actor.organizationId, id))
    },
  )
}
