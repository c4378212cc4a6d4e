import Type from 'typebox'
import { getThreadId } from '#agent/get-thread.ts'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { MESSAGE_TYPES, MessageListSchema } from '#http/wire/message-schema.ts'
import { StringEnum } from '#http/wire/nullable.ts'
import { pagingParameters, toPageRequest } from '#http/wire/paging.ts'
import { presentMessages } from '#http/wire/present-message.ts'
import { findMessageSeq } from '#store/messages/message-reader.ts'
import { listThreadMessages, SYSTEM_MESSAGE_SEQ } from '#store/messages/thread-message-reader.ts'
import { toThread } from './conversation-id.ts'
import { AgentIdQuery, ThreadPath } from './conversation-schema.ts'

export function listConversationMessages(app: App, context: Context): void {
  app.get(
    '/v1/conversations/:conversation_id/messages',
    {
      config: { permission: 'messages:read' },
      schema: {
        operationId: 'list_conversation_messages',
        tags: ['conversations'],
        summary:
          'List the messages of a conversation in the order asked for; `after` means newer and `before` older in both',
        params: ThreadPath,
        querystring: Type.Object({
          ...pagingParameters({ limit: 100 }),
          agent_id: AgentIdQuery,
          group_id: Type.Optional(Type.String()),
          include_err: Type.Optional(Type.Boolean()),
          include_return_message_types: Type.Optional(Type.Array(StringEnum(MESSAGE_TYPES))),
        }),
        response: { 200: MessageListSchema },
      },
    },
    async ({ actor, params, query }) => {
      const { db } = context
      const { organizationId } = actor
      const page = toPageRequest(query)
      const thread = await getThreadId(db, organizationId, toThread(params.conversation_id, query.agent_id))
      // a cursor that is no message is ignored
      const seqOf = async (cursor: string | undefined): Promise<number | undefined> => {
        if (cursor === thread.system_message_id) return SYSTEM_MESSAGE_SEQ
        return cursor === undefined ? undefined : findMessageSeq(db, organizationId, thread.agent_id, cursor)
      }
      const types = query.include_return_message_types
      const messages = await listThreadMessages(db, organizationId, thread, {
        afterSeq: await seqOf(page.after),
        beforeSeq: await seqOf(page.before),
        limit: page.limit,
        order: page.order,
        types,
        groupId: query.group_id || undefined,
      })
      const view = { include_return_message_types: types ?? null }
      // newest first also among what one stored message becomes
      if (page.order === 'desc') return messages.flatMap((message) => presentMessages([message], view).reverse())
      return presentMessages(messages, view)
    },
  )
}
