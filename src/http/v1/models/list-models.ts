import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { StringEnum } from '#http/wire/nullable.ts'
import { ModelSchema } from './model-schema.ts'
import { presentModel } from './present-model.ts'

export function listModels(app: App, context: Context): void {
  app.get(
    '/v1/models',
    {
      config: { permission: 'models:read' },
      schema: {
        operationId: 'list_models',
        tags: ['models'],
        summary: 'List the language models of the configured providers and of your own',
        querystring: Type.Object({
          provider_category: Type.Optional(
            Type.Array(StringEnum(['base', 'byok']), {
              description: "base: the server's own keys; byok: keys that a client brought",
            }),
          ),
          provider_name: Type.Optional(Type.String()),
          provider_type: Type.Optional(Type.String()),
        }),
        response: { 200: Type.Array(ModelSchema) },
      },
    },
    async ({ actor, query }) => {
      const models = await context.models.listModels(actor.organizationId)
      return models
        .filter((info) => query.provider_category?.includes(info.isByok ? 'byok' : 'base') ?? true)
        .filter((info) => query.provider_name === undefined || info.providerName === query.provider_name)
        .filter((info) => query.provider_type === undefined || info.providerType === query.provider_type)
        .map(presentModel)
    },
  )
}
