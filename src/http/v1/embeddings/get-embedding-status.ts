import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { Nullable, presentTime, Timestamp } from '#http/wire/nullable.ts'
import { MAX_QUEUED, readEmbeddingStatus } from '#store/embeddings/embedding-status.ts'

export function getEmbeddingStatus(app: App, context: Context): void {
  app.get(
    '/v1/embeddings/status',
    {
      config: { permission: 'passages:read' },
      schema: {
        operationId: 'get_embedding_status',
        tags: ['embeddings'],
        summary: 'How far what is stored can be found by its meaning; all of it is found by its words at once',
        response: {
          200: Type.Object({
            model: Nullable(Type.String({ description: 'Null where no embeddings are made' })),
            dimensions: Nullable(Type.Integer()),
            is_rebuilding: Type.Boolean({
              description: 'What was stored before the model was chosen is being embedded',
            }),
            queued: Type.Integer({ description: `Texts that wait, counted up to ${MAX_QUEUED}` }),
            oldest_queued_at: Nullable(Timestamp),
            failed: Type.Integer({ description: 'Texts among them that the model refused' }),
            last_error: Nullable(
              Type.String({ description: 'Why texts wait, or why the configured model makes no vectors' }),
            ),
          }),
        },
      },
    },
    async ({ actor }) => {
      const { oldest_queued_at: oldest, ...status } = await readEmbeddingStatus(context.db, actor.organizationId)
      const lastError = context.textEmbedder.problem ?? status.last_error
      return { ...status, last_error: lastError, oldest_queued_at: oldest === null ? null : presentTime(oldest) }
    },
  )
}
