import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { mcpServerUnavailable } from '#tools/mcp/mcp-unavailable.ts'
import { getMcpServerByName } from '#tools/mcp/modify-mcp-server.ts'
import { McpServerName } from './legacy-schema.ts'

export function addMcpTool(app: App, context: Context): void {
  app.post(
    '/v1/tools/mcp/servers/:mcp_server_name/:mcp_tool_name',
    {
      config: { permission: 'tools:write' },
      schema: {
        operationId: 'add_mcp_tool',
        tags: ['tools'],
        summary: 'Take a tool of an MCP server over; this version says that it does not connect',
        params: Type.Object({ ...McpServerName.properties, mcp_tool_name: Type.String() }),
      },
    },
    async ({ actor, params }) => {
      const server = await getMcpServerByName(context.db, actor.organizationId, params.mcp_server_name)
      throw mcpServerUnavailable(server.server_name)
    },
  )
}
