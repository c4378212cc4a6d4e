import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { searchPassages } from './search-passages.ts'

export function registerPassages(app: App, context: Context): void {
  // passages:read
  searchPassages(app, context)
}
