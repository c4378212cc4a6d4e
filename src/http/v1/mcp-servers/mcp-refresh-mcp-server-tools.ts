import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { mcpServerUnavailable } from '#tools/mcp/mcp-unavailable.ts'
import { getMcpServer } from '#tools/mcp/modify-mcp-server.ts'
import { McpServerId } from './mcp-server-schema.ts'

export function mcpRefreshMcpServerTools(app: App, context: Context): void {
  app.patch(
    '/v1/mcp-servers/:mcp_server_id/refresh',
    {
      config: { permission: 'tools:write' },
      schema: {
        operationId: 'mcp_refresh_mcp_server_tools',
        tags: ['mcp-servers'],
        summary: 'Ask an MCP server for its tools again; this version says that it does not connect',
        params: McpServerId,
        querystring: Type.Object({ agent_id: Type.Optional(Type.String()) }),
      },
    },
    async ({ actor, params }) => {
      const server = await getMcpServer(context.db, actor.organizationId, params.mcp_server_id)
      throw mcpServerUnavailable(server.server_name)
    },
  )
}
