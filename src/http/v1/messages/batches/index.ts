import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { cancelBatch } from './cancel-batch.ts'
import { createBatch } from './create-batch.ts'
import { listBatches } from './list-batches.ts'
import { listMessagesForBatch } from './list-messages-for-batch.ts'
import { retrieveBatch } from './retrieve-batch.ts'

export function registerBatches(app: App, context: Context): void {
  // messages:read
  listBatches(app, context)
  retrieveBatch(app, context)
  listMessagesForBatch(app, context)

  // messages:write
  createBatch(app, context)
  cancelBatch(app, context)
}
