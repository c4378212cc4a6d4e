import * as agent from '#agent/providers/create-provider.ts'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { presentProvider } from './present-provider.ts'
import { providerDeps } from './provider-deps.ts'
import { CreateProviderSchema, ProviderSchema } from './provider-schema.ts'

export function createProvider(app: App, context: Context): void {
  app.post(
    '/v1/providers',
    {
      config: { permission: 'providers:write' },
      schema: {
        operationId: 'create_provider',
        tags: ['providers'],
        summary: 'Bring a provider with a key of your own; agents use its models by the handle <name>/<model>',
        body: CreateProviderSchema,
        response: { 200: ProviderSchema },
      },
    },
    async ({ actor, body }) => presentProvider(await agent.createProvider(providerDeps(context), actor, body)),
  )
}
