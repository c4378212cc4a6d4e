import { checkKey } from '#agent/providers/check-key.ts'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { providerDeps } from './provider-deps.ts'
import { CheckProviderSchema, MessageSchema } from './provider-schema.ts'

export function checkProvider(app: App, context: Context): void {
  app.post(
    '/v1/providers/check',
    {
      config: { permission: 'providers:write', idempotency: 'none' },
      schema: {
        operationId: 'check_provider',
        tags: ['providers'],
        summary: 'Ask a provider whether it takes a key; nothing is stored',
        body: CheckProviderSchema,
        response: { 200: MessageSchema },
      },
    },
    async ({ body }) => {
      await checkKey(providerDeps(context), {
        name: body.provider_type,
        providerType: body.provider_type,
        baseUrl: body.base_url ?? null,
        apiKey: body.api_key,
      })
      return { message: `Valid api key for provider_type=${body.provider_type}` }
    },
  )
}
