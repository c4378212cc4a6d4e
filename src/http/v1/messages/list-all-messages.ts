import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { MESSAGE_TYPES } from '#http/wire/message-schema.ts'
import { AnyObject, StringEnum } from '#http/wire/nullable.ts'
import { pagingParameters, toPageRequest } from '#http/wire/paging.ts'
import { notFound } from '#platform/errors.ts'
import { findThreadId } from '#store/conversations/conversation-reader.ts'
import type { Queryable } from '#store/db.ts'
import { findMessage, listAllMessages as listAll } from '#store/messages/all-message-reader.ts'
import type { PlacedMessage } from '#store/messages/placed-message.ts'
import { listThreadMessages, type MessageRange, SYSTEM_MESSAGE_SEQ } from '#store/messages/thread-message-reader.ts'
import { presentPlacedMessage } from './present-placed-message.ts'

export function listAllMessages(app: App, context: Context): void {
  app.get(
    '/v1/messages',
    {
      config: { permission: 'messages:read' },
      schema: {
        operationId: 'list_all_messages',
        tags: ['messages'],
        summary:
          'List messages of all agents: `after` means newer, `before` older, and the answer is always oldest first',
        querystring: Type.Object({
          ...pagingParameters({ limit: 100 }),
          conversation_id: Type.Optional(
            Type.String({ description: 'A conversation, or `default` for the default ones of all agents' }),
          ),
          include_return_message_types: Type.Optional(Type.Array(StringEnum(MESSAGE_TYPES))),
        }),
        response: { 200: Type.Array(AnyObject) },
      },
    },
    async ({ actor, query }) => {
      const { db } = context
      const { organizationId } = actor
      const { conversation_id: conversationId, include_return_message_types: types } = query
      const page = toPageRequest(query)
      const isThread = conversationId !== undefined && conversationId !== 'default'
      const thread = isThread ? await findThreadId(db, organizationId, { conversationId }) : undefined
      if (isThread && thread === undefined) return []
      const seqOf = (cursor: string | undefined) =>
        cursor !== undefined && cursor === thread?.system_message_id
          ? SYSTEM_MESSAGE_SEQ
          : findSeq(db, organizationId, cursor)
      const range: MessageRange = {
        afterSeq: await seqOf(page.after),
        beforeSeq: await seqOf(page.before),
        limit: page.limit,
        order: page.order,
        types,
      }
      let messages: PlacedMessage[]
      if (thread === undefined) {
        messages = await listAll(db, organizationId, conversationId === 'default', range)
      } else {
        messages = await listThreadMessages(db, organizationId, thread, range)
        if (range.order === 'desc') messages.reverse()
      }
      return messages.flatMap((message) =>
        presentPlacedMessage(message, { include_return_message_types: types ?? null }),
      )
    },
  )
}

/** Throws not_found for a cursor that is no message. */
async function findSeq(db: Queryable, organizationId: string, cursor: string | undefined): Promise<number | undefined> {
  if (cursor === undefined) return undefined
  const message = await findMessage(db, organizationId, cursor)
  if (message === undefined) throw notFound(`Message ${cursor} was not found.`)
  return message.seq
}
