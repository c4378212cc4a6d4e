import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { getEmbeddingStatus } from './get-embedding-status.ts'
import { getTotalStorageSize } from './get-total-storage-size.ts'

export function registerEmbeddings(app: App, context: Context): void {
  // passages:read
  getEmbeddingStatus(app, context)
  getTotalStorageSize(app, context)
}
