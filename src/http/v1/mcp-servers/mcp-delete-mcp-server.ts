import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { removeMcpServer } from '#tools/mcp/modify-mcp-server.ts'
import { McpServerId } from './mcp-server-schema.ts'

export function mcpDeleteMcpServer(app: App, context: Context): void {
  app.delete(
    '/v1/mcp-servers/:mcp_server_id',
    {
      config: { permission: 'tools:write' },
      schema: {
        operationId: 'mcp_delete_mcp_server',
        tags: ['mcp-servers'],
        summary: 'Delete an MCP server and its tools',
        params: McpServerId,
        response: { 204: Type.Null() },
      },
    },
    async ({ actor, params }, reply) => {
      await removeMcpServer(context.db, actor.organizationId, params.mcp_server_id)
      await context.mcp.forget(actor.organizationId, params.mcp_server_id)
      return reply.code(204).send(null)
    },
  )
}
