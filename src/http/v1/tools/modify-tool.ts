import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import * as tools from '#tools/modify-tool.ts'
import { presentTool } from './present-tool.ts'
import { ToolId, ToolSchema, UpdateToolSchema } from './tool-schema.ts'

export function modifyTool(app: App, context: Context): void {
  app.patch(
    '/v1/tools/:tool_id',
    {
      config: { permission: 'tools:write' },
      schema: {
        operationId: 'modify_tool',
        tags: ['tools'],
        summary: 'Change a tool; a new source gives it a new schema',
        params: ToolId,
        body: UpdateToolSchema,
        response: { 200: ToolSchema },
      },
    },
    async ({ actor, params, body }) => {
      const { metadata_: metadata, ...change } = body
      return presentTool(await tools.modifyTool(context.db, actor, params.tool_id, { ...change, metadata }))
    },
  )
}
