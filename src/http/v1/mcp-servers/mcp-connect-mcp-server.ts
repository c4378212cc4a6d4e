import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { getMcpServer } from '#tools/mcp/modify-mcp-server.ts'
import { McpServerId } from './mcp-server-schema.ts'
import { streamConnect } from './stream-connect.ts'

export function mcpConnectMcpServer(app: App, context: Context): void {
  app.get(
    '/v1/mcp-servers/connect/:mcp_server_id',
    {
      config: { permission: 'tools:write' },
      schema: {
        operationId: 'mcp_connect_mcp_server',
        tags: ['mcp-servers'],
        summary:
          'Connect to an MCP server, with an authorization by OAuth where it wants one; a stream of server-sent events',
        params: McpServerId,
      },
    },
    async (request, reply) => {
      const { actor, params } = request
      const server = await getMcpServer(context.db, actor.organizationId, params.mcp_server_id)
      return streamConnect(context, { request, reply }, server, true)
    },
  )
}
