import * as agent from '#agent/providers/modify-provider.ts'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { presentProvider } from './present-provider.ts'
import { providerDeps } from './provider-deps.ts'
import { ProviderId, ProviderSchema, UpdateProviderSchema } from './provider-schema.ts'

export function modifyProvider(app: App, context: Context): void {
  app.patch(
    '/v1/providers/:provider_id',
    {
      config: { permission: 'providers:write' },
      schema: {
        operationId: 'modify_provider',
        tags: ['providers'],
        summary: 'Change a provider: its key, its address',
        params: ProviderId,
        body: UpdateProviderSchema,
        response: { 200: ProviderSchema },
      },
    },
    async ({ actor, params, body }) =>
      presentProvider(await agent.modifyProvider(providerDeps(context), actor, params.provider_id, body)),
  )
}
