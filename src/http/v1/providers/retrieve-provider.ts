import { providerNotFound } from '#agent/providers/modify-provider.ts'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { findProvider } from '#store/providers/provider-reader.ts'
import { presentProvider } from './present-provider.ts'
import { ProviderId, ProviderSchema } from './provider-schema.ts'

export function retrieveProvider(app: App, context: Context): void {
  app.get(
    '/v1/providers/:provider_id',
    {
      config: { permission: 'providers:read' },
      schema: {
        operationId: 'retrieve_provider',
        tags: ['providers'],
        summary: 'Retrieve a provider, without its keys',
        params: ProviderId,
        response: { 200: ProviderSchema },
      },
    },
    async ({ actor, params }) => {
      const row = await findProvider(context.db, actor.organizationId, params.provider_id)
      if (row === undefined) throw providerNotFound(params.provider_id)
      return presentProvider(row)
    },
  )
}
