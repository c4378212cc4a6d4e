import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { addBaseTools } from './add-base-tools.ts'
import { countTools } from './count-tools.ts'
import { createTool } from './create-tool.ts'
import { deleteTool } from './delete-tool.ts'
import { generateJsonSchema } from './generate-json-schema.ts'
import { listTools } from './list-tools.ts'
import { modifyTool } from './modify-tool.ts'
import { retrieveTool } from './retrieve-tool.ts'
import { runToolFromSource } from './run-tool-from-source.ts'
import { searchTools } from './search-tools.ts'
import { upsertTool } from './upsert-tool.ts'

export function registerTools(app: App, context: Context): void {
  // tools:read
  listTools(app, context)
  countTools(app, context)
  searchTools(app, context)
  generateJsonSchema(app)
  retrieveTool(app, context)

  // tools:write
  createTool(app, context)
  upsertTool(app, context)
  modifyTool(app, context)
  deleteTool(app, context)
  addBaseTools(app, context)
  runToolFromSource(app, context)
}
