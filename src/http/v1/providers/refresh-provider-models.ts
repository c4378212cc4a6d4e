import { refreshProvider } from '#agent/providers/refresh-provider.ts'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { presentProvider } from './present-provider.ts'
import { providerDeps } from './provider-deps.ts'
import { ProviderId, ProviderSchema } from './provider-schema.ts'

export function refreshProviderModels(app: App, context: Context): void {
  app.patch(
    '/v1/providers/:provider_id/refresh',
    {
      config: { permission: 'providers:write' },
      schema: {
        operationId: 'refresh_provider_models',
        tags: ['providers'],
        summary: 'Read the list of models of a provider again',
        params: ProviderId,
        response: { 200: ProviderSchema },
      },
    },
    async ({ actor, params }) =>
      presentProvider(await refreshProvider(providerDeps(context), actor.organizationId, params.provider_id)),
  )
}
