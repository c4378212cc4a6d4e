import Type from 'typebox'
import * as domain from '#agent/environments/register-environment.ts'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { AnyObject } from '#http/wire/nullable.ts'

export function registerEnvironment(app: App, context: Context): void {
  app.post(
    '/v1/environments/register',
    {
      config: { permission: 'environments:write' },
      schema: {
        operationId: 'register_environment',
        tags: ['environments'],
        summary: 'Register an environment, or say that it is seen again; there is no socket to connect it to',
        body: Type.Object({
          deviceId: Type.String({ minLength: 1, maxLength: 500 }),
          connectionName: Type.String({ minLength: 1, maxLength: 500 }),
          metadata: Type.Optional(AnyObject),
        }),
        response: {
          200: Type.Object({
            connectionId: Type.String(),
            wsUrl: Type.String({ description: 'Empty: this server has no socket for environments' }),
          }),
        },
      },
    },
    async ({ actor, body }) => {
      const row = await domain.registerEnvironment(context.db, actor, body)
      return { connectionId: row.connection_id, wsUrl: '' }
    },
  )
}
