import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { listEmbeddingModels } from './list-embedding-models.ts'
import { listModels } from './list-models.ts'

export function registerModels(app: App, context: Context): void {
  // models:read
  listModels(app, context)
  listEmbeddingModels(app, context)
}
