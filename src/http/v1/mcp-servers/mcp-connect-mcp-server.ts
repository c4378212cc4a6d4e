import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { mcpServerUnavailable } from '#tools/mcp/mcp-unavailable.ts'
import { getMcpServer } from '#tools/mcp/modify-mcp-server.ts'
import { McpServerId } from './mcp-server-schema.ts'

export function mcpConnectMcpServer(app: App, context: Context): void {
  app.get(
    '/v1/mcp-servers/connect/:mcp_server_id',
    {
      config: { permission: 'tools:read' },
      schema: {
        operationId: 'mcp_connect_mcp_server',
        tags: ['mcp-servers'],
        summary: 'Connect to an MCP server; this version says that it does not',
        params: McpServerId,
      },
    },
    async ({ actor, params }) => {
      const server = await getMcpServer(context.db, actor.organizationId, params.mcp_server_id)
      throw mcpServerUnavailable(server.server_name)
    },
  )
}
