import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { presentTool } from '#http/v1/tools/present-tool.ts'
import { ToolSchema } from '#http/v1/tools/tool-schema.ts'
import { getMcpTool, McpToolId } from './get-mcp-tool.ts'

export function mcpRetrieveMcpTool(app: App, context: Context): void {
  app.get(
    '/v1/mcp-servers/:mcp_server_id/tools/:tool_id',
    {
      config: { permission: 'tools:read' },
      schema: {
        operationId: 'mcp_retrieve_mcp_tool',
        tags: ['mcp-servers'],
        summary: 'Retrieve a tool that was found at an MCP server',
        params: McpToolId,
        response: { 200: ToolSchema },
      },
    },
    async ({ actor, params }) => presentTool((await getMcpTool(context.db, actor.organizationId, params)).tool),
  )
}
