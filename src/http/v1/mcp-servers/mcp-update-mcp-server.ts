import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { modifyMcpServer } from '#tools/mcp/modify-mcp-server.ts'
import { mcpOptionsOf } from './mcp-options.ts'
import { McpServerId, McpServerSchema, UpdateMcpServerSchema } from './mcp-server-schema.ts'
import { presentMcpServer } from './present-mcp-server.ts'

export function mcpUpdateMcpServer(app: App, context: Context): void {
  app.patch(
    '/v1/mcp-servers/:mcp_server_id',
    {
      config: { permission: 'tools:write' },
      schema: {
        operationId: 'mcp_update_mcp_server',
        tags: ['mcp-servers'],
        summary: 'Change an MCP server; the type in its configuration must be named',
        params: McpServerId,
        body: UpdateMcpServerSchema,
        response: { 200: McpServerSchema },
      },
    },
    async ({ actor, params, body }) => {
      const options = mcpOptionsOf(context)
      const server = await modifyMcpServer(context.db, actor, params.mcp_server_id, body, options)
      await context.mcp.forget(actor.organizationId, server.id)
      return presentMcpServer(server)
    },
  )
}
