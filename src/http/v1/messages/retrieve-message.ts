import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { IdSchema } from '#http/wire/ids.ts'
import { MessageListSchema } from '#http/wire/message-schema.ts'
import { presentMessage } from '#http/wire/present-message.ts'
import { notFound } from '#platform/errors.ts'
import { findMessage } from '#store/messages/all-message-reader.ts'

export function retrieveMessage(app: App, context: Context): void {
  app.get(
    '/v1/messages/:message_id',
    {
      config: { permission: 'messages:read' },
      schema: {
        operationId: 'retrieve_message',
        tags: ['messages'],
        summary: 'Read a message: all that one stored message is shown as, which share its id',
        params: Type.Object({ message_id: IdSchema('message') }),
        response: { 200: MessageListSchema },
      },
    },
    async ({ actor, params }) => {
      const message = await findMessage(context.db, actor.organizationId, params.message_id)
      if (message === undefined) throw notFound(`Message ${params.message_id} was not found.`)
      return presentMessage(message)
    },
  )
}
