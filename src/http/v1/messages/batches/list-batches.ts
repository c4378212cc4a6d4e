import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { pagingParameters, toPageRequest } from '#http/wire/paging.ts'
import * as reader from '#store/batches/batch-reader.ts'
import { BatchSchema } from './batch-schema.ts'
import { presentBatch } from './present-batch.ts'

export function listBatches(app: App, context: Context): void {
  app.get(
    '/v1/messages/batches',
    {
      config: { permission: 'messages:read' },
      schema: {
        operationId: 'list_batches',
        tags: ['messages'],
        summary: 'List batches, newest first unless asked otherwise',
        querystring: Type.Object(pagingParameters({ limit: 100 })),
        response: { 200: Type.Array(BatchSchema) },
      },
    },
    async ({ actor, query }) => {
      const rows = await reader.listBatches(context.db, actor.organizationId, toPageRequest(query))
      return rows.map(presentBatch)
    },
  )
}
