import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import * as tools from '#tools/create-tool.ts'
import { presentTool } from './present-tool.ts'
import { CreateToolSchema, ToolSchema } from './tool-schema.ts'

export function createTool(app: App, context: Context): void {
  app.post(
    '/v1/tools',
    {
      config: { permission: 'tools:write' },
      schema: {
        operationId: 'create_tool',
        tags: ['tools'],
        summary: 'Make a tool, or overwrite the custom tool of this name; its source is read, not run',
        body: CreateToolSchema,
        response: { 200: ToolSchema },
      },
    },
    async ({ actor, body: { metadata_: metadata, ...tool } }) =>
      presentTool(await tools.createTool(context.db, actor, { ...tool, metadata })),
  )
}
