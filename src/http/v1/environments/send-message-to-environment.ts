import Type from 'typebox'
import { refuseOffline } from '#agent/environments/register-environment.ts'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { EnvironmentMessagesSchema } from './environment-message-schema.ts'

export function sendMessageToEnvironment(app: App, context: Context): void {
  app.post(
    '/v1/environments/:connection_id/messages',
    {
      config: { permission: 'environments:write' },
      schema: {
        operationId: 'send_message_to_environment',
        tags: ['environments'],
        summary:
          'Send messages to a connected environment; none is ever connected to this server, so that they are refused',
        params: Type.Object({ connection_id: Type.String({ minLength: 1 }) }),
        body: EnvironmentMessagesSchema,
        response: { 200: Type.Object({ success: Type.Boolean(), message: Type.String() }) },
      },
    },
    ({ actor, params }) => refuseOffline(context.db, actor.organizationId, params.connection_id),
  )
}
