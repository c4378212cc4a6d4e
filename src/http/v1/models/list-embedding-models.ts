import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { EmbeddingModelSchema } from './model-schema.ts'
import { presentEmbeddingModel } from './present-model.ts'

export function listEmbeddingModels(app: App, context: Context): void {
  app.get(
    '/v1/models/embedding',
    {
      config: { permission: 'models:read' },
      schema: {
        operationId: 'list_embedding_models',
        tags: ['models'],
        summary: 'List the embedding models of the configured providers',
        response: { 200: Type.Array(EmbeddingModelSchema) },
      },
    },
    async ({ actor }) => (await context.models.listEmbeddingModels(actor.organizationId)).map(presentEmbeddingModel),
  )
}
