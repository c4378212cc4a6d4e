import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { createTool } from '#tools/create-tool.ts'
import { presentTool } from './present-tool.ts'
import { CreateToolSchema, ToolSchema } from './tool-schema.ts'

export function upsertTool(app: App, context: Context): void {
  app.put(
    '/v1/tools',
    {
      config: { permission: 'tools:write' },
      schema: {
        operationId: 'upsert_tool',
        tags: ['tools'],
        summary: 'The same as POST: make a tool, or overwrite the custom tool of this name',
        body: CreateToolSchema,
        response: { 200: ToolSchema },
      },
    },
    async ({ actor, body: { metadata_: metadata, ...tool } }) =>
      presentTool(await createTool(context.db, actor, { ...tool, metadata })),
  )
}
