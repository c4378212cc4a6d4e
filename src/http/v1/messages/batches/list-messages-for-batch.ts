import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { IdSchema } from '#http/wire/ids.ts'
import { AnyObject } from '#http/wire/nullable.ts'
import { pagingParameters, toPageRequest } from '#http/wire/paging.ts'
import { listBatchMessages } from '#store/batches/batch-reader.ts'
import { BatchId } from './batch-schema.ts'
import { getBatch } from './get-batch.ts'
import { presentBatchMessage } from './present-batch-message.ts'

export function listMessagesForBatch(app: App, context: Context): void {
  app.get(
    '/v1/messages/batches/:batch_id/messages',
    {
      config: { permission: 'messages:read' },
      schema: {
        operationId: 'list_messages_for_batch',
        tags: ['messages'],
        summary: 'List what the runs of a batch read and wrote, newest first unless asked otherwise',
        params: BatchId,
        querystring: Type.Object({
          ...pagingParameters({ limit: 100 }),
          agent_id: Type.Optional(IdSchema('agent')),
        }),
        response: { 200: Type.Object({ messages: Type.Array(AnyObject) }) },
      },
    },
    async ({ actor, params, query }) => {
      const { organizationId } = actor
      await getBatch(context.db, organizationId, params.batch_id)
      const source = { batchId: params.batch_id, agentId: query.agent_id }
      const rows = await listBatchMessages(context.db, organizationId, source, toPageRequest(query))
      return { messages: rows.map(presentBatchMessage) }
    },
  )
}
