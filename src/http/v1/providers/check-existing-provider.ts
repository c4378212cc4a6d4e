import * as agent from '#agent/providers/check-provider.ts'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { providerDeps } from './provider-deps.ts'
import { MessageSchema, ProviderId } from './provider-schema.ts'

export function checkExistingProvider(app: App, context: Context): void {
  app.post(
    '/v1/providers/:provider_id/check',
    {
      config: { permission: 'providers:write', idempotency: 'none' },
      schema: {
        operationId: 'check_existing_provider',
        tags: ['providers'],
        summary: 'Ask a provider whether it takes the key that is stored',
        params: ProviderId,
        response: { 200: MessageSchema },
      },
    },
    async ({ actor, params }) => {
      const type = await agent.checkProvider(providerDeps(context), actor.organizationId, params.provider_id)
      return { message: `Valid api key for provider_type=${type}` }
    },
  )
}
