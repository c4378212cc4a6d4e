import { stopBatch } from '#agent/stop-batch.ts'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { BatchId, BatchSchema } from './batch-schema.ts'
import { getBatch } from './get-batch.ts'
import { presentBatch } from './present-batch.ts'

export function cancelBatch(app: App, context: Context): void {
  app.patch(
    '/v1/messages/batches/:batch_id/cancel',
    {
      config: { permission: 'messages:write' },
      schema: {
        operationId: 'cancel_batch',
        tags: ['messages'],
        summary: 'Cancel what of a batch has not ended; a batch that has ended stays as it is',
        params: BatchId,
        response: { 200: BatchSchema },
      },
    },
    async ({ actor, params }) => {
      const { organizationId } = actor
      await stopBatch(context.db, context.runs, { organization_id: organizationId, id: params.batch_id })
      return presentBatch(await getBatch(context.db, organizationId, params.batch_id))
    },
  )
}
