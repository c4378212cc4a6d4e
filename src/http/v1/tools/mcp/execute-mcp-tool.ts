import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { ToolArguments } from '#http/v1/tools/tool-schema.ts'
import { mcpServerUnavailable } from '#tools/mcp/mcp-unavailable.ts'
import { getMcpServerByName } from '#tools/mcp/modify-mcp-server.ts'
import { McpServerName } from './legacy-schema.ts'

export function executeMcpTool(app: App, context: Context): void {
  app.post(
    '/v1/tools/mcp/servers/:mcp_server_name/tools/:tool_name/execute',
    {
      config: { permission: 'tools:write' },
      schema: {
        operationId: 'execute_mcp_tool',
        tags: ['tools'],
        summary: 'Run a tool of an MCP server; this version says that it does not connect',
        params: Type.Object({ ...McpServerName.properties, tool_name: Type.String() }),
        body: ToolArguments,
      },
    },
    async ({ actor, params }) => {
      const server = await getMcpServerByName(context.db, actor.organizationId, params.mcp_server_name)
      throw mcpServerUnavailable(server.server_name)
    },
  )
}
