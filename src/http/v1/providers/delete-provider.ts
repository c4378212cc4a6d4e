import { removeProvider } from '#agent/providers/remove-provider.ts'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { providerDeps } from './provider-deps.ts'
import { MessageSchema, ProviderId } from './provider-schema.ts'

export function deleteProvider(app: App, context: Context): void {
  app.delete(
    '/v1/providers/:provider_id',
    {
      config: { permission: 'providers:write' },
      schema: {
        operationId: 'delete_provider',
        tags: ['providers'],
        summary: 'Delete a provider and its keys; one of the same name made later has its id again',
        params: ProviderId,
        response: { 200: MessageSchema },
      },
    },
    async ({ actor, params }) => {
      await removeProvider(providerDeps(context), actor, params.provider_id)
      return { message: `Provider id=${params.provider_id} successfully deleted` }
    },
  )
}
