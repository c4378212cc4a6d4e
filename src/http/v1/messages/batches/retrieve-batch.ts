import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { BatchId, BatchSchema } from './batch-schema.ts'
import { getBatch } from './get-batch.ts'
import { presentBatch } from './present-batch.ts'

export function retrieveBatch(app: App, context: Context): void {
  app.get(
    '/v1/messages/batches/:batch_id',
    {
      config: { permission: 'messages:read' },
      schema: {
        operationId: 'retrieve_batch',
        tags: ['messages'],
        summary: 'Get a batch: its state, and at the end how many requests ended how',
        params: BatchId,
        response: { 200: BatchSchema },
      },
    },
    async ({ actor, params }) => presentBatch(await getBatch(context.db, actor.organizationId, params.batch_id)),
  )
}
