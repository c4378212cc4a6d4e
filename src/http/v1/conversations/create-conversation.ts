import Type from 'typebox'
import * as domain from '#agent/create-conversation.ts'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { IdSchema } from '#http/wire/ids.ts'
import { Nullable } from '#http/wire/nullable.ts'
import { ConversationSchema, conversationFields } from './conversation-schema.ts'
import { getConversation } from './get-conversation.ts'
import { presentConversation } from './present-conversation.ts'

const Body = Type.Object({
  ...conversationFields,
  isolated_block_labels: Type.Optional(
    Nullable(Type.Array(Type.String(), { description: 'Blocks of the agent that this conversation gets a copy of' })),
  ),
  hidden: Type.Optional(Nullable(Type.Boolean({ description: 'Left out of lists' }))),
})

export function createConversation(app: App, context: Context): void {
  app.post(
    '/v1/conversations',
    {
      config: { permission: 'conversations:write' },
      schema: {
        operationId: 'create_conversation',
        tags: ['conversations'],
        summary: 'Begin a conversation with an agent: a thread of its own over the same memory',
        querystring: Type.Object({ agent_id: IdSchema('agent') }),
        body: Type.Optional(Nullable(Body)),
        response: { 200: ConversationSchema },
      },
    },
    async ({ actor, query, body }) => {
      const id = await domain.createConversation(context, actor, query.agent_id, body ?? {})
      return presentConversation(await getConversation(context.db, actor.organizationId, id))
    },
  )
}
