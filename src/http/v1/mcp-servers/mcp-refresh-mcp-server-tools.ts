import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { refreshMcpServer } from '#tools/mcp/ask-mcp-server.ts'
import { getMcpServer } from '#tools/mcp/modify-mcp-server.ts'
import { mcpAskerOf } from './mcp-options.ts'
import { McpServerId } from './mcp-server-schema.ts'
import { McpSyncSchema } from './present-remote-tool.ts'
import { requestSignal } from './request-signal.ts'

export function mcpRefreshMcpServerTools(app: App, context: Context): void {
  app.patch(
    '/v1/mcp-servers/:mcp_server_id/refresh',
    {
      config: { permission: 'tools:write' },
      schema: {
        operationId: 'mcp_refresh_mcp_server_tools',
        tags: ['mcp-servers'],
        summary: 'Ask an MCP server for its tools again: new ones are added, changed ones updated, others deleted',
        params: McpServerId,
        querystring: Type.Object({
          agent_id: Type.Optional(Type.String({ description: 'Agent whose secrets fill the templates of the server' })),
        }),
        response: { 200: McpSyncSchema },
      },
    },
    async ({ actor, params, query }, reply) => {
      const { organizationId, userId } = actor
      const server = await getMcpServer(context.db, organizationId, params.mcp_server_id)
      const asking = { organizationId, userId, agentId: query.agent_id ?? null, signal: requestSignal(reply) }
      return refreshMcpServer(mcpAskerOf(context), server, asking)
    },
  )
}
