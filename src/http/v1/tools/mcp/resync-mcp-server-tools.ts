import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { mcpAskerOf } from '#http/v1/mcp-servers/mcp-options.ts'
import { McpSyncSchema } from '#http/v1/mcp-servers/present-remote-tool.ts'
import { requestSignal } from '#http/v1/mcp-servers/request-signal.ts'
import { refreshMcpServer } from '#tools/mcp/ask-mcp-server.ts'
import { getMcpServerByName } from '#tools/mcp/modify-mcp-server.ts'
import { McpServerName } from './legacy-schema.ts'

export function resyncMcpServerTools(app: App, context: Context): void {
  app.post(
    '/v1/tools/mcp/servers/:mcp_server_name/resync',
    {
      config: { permission: 'tools:write' },
      schema: {
        operationId: 'resync_mcp_server_tools',
        tags: ['tools'],
        summary: 'Ask an MCP server for its tools again, in the older form',
        params: McpServerName,
        querystring: Type.Object({ agent_id: Type.Optional(Type.String()) }),
        response: { 200: McpSyncSchema },
      },
    },
    async ({ actor, params, query }, reply) => {
      const { organizationId, userId } = actor
      const server = await getMcpServerByName(context.db, organizationId, params.mcp_server_name)
      const asking = { organizationId, userId, agentId: query.agent_id ?? null, signal: requestSignal(reply) }
      return refreshMcpServer(mcpAskerOf(context), server, asking)
    },
  )
}
