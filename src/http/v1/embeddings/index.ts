import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { getTotalStorageSize } from './get-total-storage-size.ts'

export function registerEmbeddings(app: App, context: Context): void {
  // passages:read
  getTotalStorageSize(app, context)
}
