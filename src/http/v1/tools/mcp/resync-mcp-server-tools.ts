import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { mcpServerUnavailable } from '#tools/mcp/mcp-unavailable.ts'
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
        summary: 'Ask an MCP server for its tools again; this version says that it does not connect',
        params: McpServerName,
        querystring: Type.Object({ agent_id: Type.Optional(Type.String()) }),
      },
    },
    async ({ actor, params }) => {
      const server = await getMcpServerByName(context.db, actor.organizationId, params.mcp_server_name)
      throw mcpServerUnavailable(server.server_name)
    },
  )
}
