import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { IdSchema } from '#http/wire/ids.ts'

/** V1 had switched this operation off; it stays in the API so that clients get an explanation instead of a 404. */
export function modifyMessage(app: App, _context: Context): void {
  app.patch(
    '/v1/agents/:agent_id/messages/:message_id',
    {
      config: { permission: 'messages:write' },
      schema: {
        operationId: 'modify_message',
        tags: ['agents'],
        summary: 'Not available: what was said cannot be changed',
        params: Type.Object({ agent_id: IdSchema('agent'), message_id: IdSchema('message') }),
      },
    },
    (_request, reply) => reply.status(405).send({ detail: 'Messages cannot be changed once they are said.' }),
  )
}
