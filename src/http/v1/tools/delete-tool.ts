import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { NullBody, sendNull } from '#http/wire/send-null.ts'
import { removeTool } from '#tools/remove-tool.ts'
import { ToolId } from './tool-schema.ts'

export function deleteTool(app: App, context: Context): void {
  app.delete(
    '/v1/tools/:tool_id',
    {
      config: { permission: 'tools:write' },
      schema: {
        operationId: 'delete_tool',
        tags: ['tools'],
        summary: 'Delete a tool and take it from all agents; one of the server comes back when tools are listed',
        params: ToolId,
        response: { 200: NullBody },
      },
    },
    async ({ actor, params }, reply) => {
      await removeTool(context.db, actor.organizationId, params.tool_id)
      return sendNull(reply)
    },
  )
}
