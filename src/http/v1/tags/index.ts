import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { listTags } from './list-tags.ts'

export function registerTags(app: App, context: Context): void {
  // tags:read
  listTags(app, context)
}
