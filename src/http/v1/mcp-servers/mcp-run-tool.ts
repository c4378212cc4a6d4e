import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { ToolArguments, ToolExecutionResult } from '#http/v1/tools/tool-schema.ts'
import { mcpServerUnavailable } from '#tools/mcp/mcp-unavailable.ts'
import { getMcpTool, McpToolId } from './get-mcp-tool.ts'

export function mcpRunTool(app: App, context: Context): void {
  app.post(
    '/v1/mcp-servers/:mcp_server_id/tools/:tool_id/run',
    {
      config: { permission: 'tools:write' },
      schema: {
        operationId: 'mcp_run_tool',
        tags: ['mcp-servers'],
        summary: 'Run a tool of an MCP server; this version says that it does not connect',
        params: McpToolId,
        body: ToolArguments,
        response: { 200: ToolExecutionResult },
      },
    },
    async ({ actor, params }) => {
      const { server } = await getMcpTool(context.db, actor.organizationId, params)
      throw mcpServerUnavailable(server.server_name)
    },
  )
}
