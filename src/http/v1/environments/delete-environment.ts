import Type from 'typebox'
import { removeEnvironment } from '#agent/environments/register-environment.ts'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { IdSchema } from '#http/wire/ids.ts'

export function deleteEnvironment(app: App, context: Context): void {
  app.delete(
    '/v1/environments/:environment_id',
    {
      config: { permission: 'environments:write' },
      schema: {
        operationId: 'delete_environment',
        tags: ['environments'],
        summary: 'Remove an environment',
        params: Type.Object({ environment_id: IdSchema('environment') }),
        response: { 200: Type.Object({ success: Type.Boolean(), message: Type.String() }) },
      },
    },
    async ({ actor, params }) => {
      await removeEnvironment(context.db, actor.organizationId, params.environment_id)
      return { success: true, message: `Environment ${params.environment_id} was removed.` }
    },
  )
}
