import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { StringEnum } from '#http/wire/nullable.ts'
import { pagingParameters, toPageRequest } from '#http/wire/paging.ts'
import * as reader from '#store/providers/provider-reader.ts'
import { presentProvider } from './present-provider.ts'
import { ProviderSchema, ProviderType } from './provider-schema.ts'

export function listProviders(app: App, context: Context): void {
  app.get(
    '/v1/providers',
    {
      config: { permission: 'providers:read' },
      schema: {
        operationId: 'list_providers',
        tags: ['providers'],
        summary: 'List the providers that you have brought, newest first unless asked otherwise',
        querystring: Type.Object({
          ...pagingParameters(),
          name: Type.Optional(Type.String()),
          provider_type: Type.Optional(ProviderType),
          provider_category: Type.Optional(
            Type.Array(StringEnum(['base', 'byok']), {
              description: "base: the server's own, which are its settings and not listed here; see GET /v1/models",
            }),
          ),
        }),
        response: { 200: Type.Array(ProviderSchema) },
      },
    },
    async ({ actor, query }) => {
      if (query.provider_category?.includes('byok') === false) return []
      const filter = { name: query.name, providerType: query.provider_type }
      const rows = await reader.listProviders(context.db, actor.organizationId, filter, toPageRequest(query))
      return rows.map(presentProvider)
    },
  )
}
