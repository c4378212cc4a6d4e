import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { notFound } from '#platform/errors.ts'
import { findTool } from '#store/tools/tool-reader.ts'
import { presentTool } from './present-tool.ts'
import { ToolId, ToolSchema } from './tool-schema.ts'

export function retrieveTool(app: App, context: Context): void {
  app.get(
    '/v1/tools/:tool_id',
    {
      config: { permission: 'tools:read' },
      schema: {
        operationId: 'retrieve_tool',
        tags: ['tools'],
        summary: 'Retrieve a tool',
        params: ToolId,
        response: { 200: ToolSchema },
      },
    },
    async ({ actor, params }) => {
      const row = await findTool(context.db, actor.organizationId, params.tool_id)
      if (row === undefined) throw notFound(`Tool ${params.tool_id} was not found.`)
      return presentTool(row)
    },
  )
}
