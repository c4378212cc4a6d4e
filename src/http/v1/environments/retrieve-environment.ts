import Type from 'typebox'
import { environmentNotFound } from '#agent/environments/register-environment.ts'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { findEnvironment } from '#store/environments/environment-store.ts'
import { EnvironmentSchema, presentEnvironment } from './environment-schema.ts'

export function retrieveEnvironment(app: App, context: Context): void {
  app.get(
    '/v1/environments/:device_id',
    {
      config: { permission: 'environments:read' },
      schema: {
        operationId: 'retrieve_environment',
        tags: ['environments'],
        summary: 'Retrieve an environment by the id of its device',
        params: Type.Object({ device_id: Type.String({ minLength: 1 }) }),
        response: { 200: EnvironmentSchema },
      },
    },
    async ({ actor, params }) => {
      const { organizationId } = actor
      const row = await findEnvironment(context.db, organizationId, { deviceId: params.device_id })
      if (row === undefined) throw environmentNotFound('device', params.device_id)
      return presentEnvironment(row, organizationId)
    },
  )
}
