import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { getMcpServer } from '#tools/mcp/modify-mcp-server.ts'
import { McpServerId, McpServerSchema } from './mcp-server-schema.ts'
import { presentMcpServer } from './present-mcp-server.ts'
import { tellLastError } from './tell-last-error.ts'

export function mcpRetrieveMcpServer(app: App, context: Context): void {
  app.get(
    '/v1/mcp-servers/:mcp_server_id',
    {
      config: { permission: 'tools:read' },
      schema: {
        operationId: 'mcp_retrieve_mcp_server',
        tags: ['mcp-servers'],
        summary: 'Retrieve an MCP server; its secrets are masked',
        params: McpServerId,
        response: { 200: McpServerSchema },
      },
    },
    async ({ actor, params }, reply) => {
      const server = await getMcpServer(context.db, actor.organizationId, params.mcp_server_id)
      tellLastError(reply, server)
      return presentMcpServer(server)
    },
  )
}
