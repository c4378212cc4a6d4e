import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { countTools } from './count-tools.ts'
import { listTools } from './list-tools.ts'
import { retrieveTool } from './retrieve-tool.ts'

export function registerTools(app: App, context: Context): void {
  // tools:read
  listTools(app, context)
  countTools(app, context)
  retrieveTool(app, context)
}
