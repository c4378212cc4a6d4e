import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { mcpServerUnavailable } from '#tools/mcp/mcp-unavailable.ts'
import { getMcpServerByName } from '#tools/mcp/modify-mcp-server.ts'
import { McpServerName } from './legacy-schema.ts'

export function listMcpToolsByServer(app: App, context: Context): void {
  app.get(
    '/v1/tools/mcp/servers/:mcp_server_name/tools',
    {
      config: { permission: 'tools:read' },
      schema: {
        operationId: 'list_mcp_tools_by_server',
        tags: ['tools'],
        summary: 'Ask an MCP server for its tools; this version says that it does not connect',
        params: McpServerName,
      },
    },
    async ({ actor, params }) => {
      const server = await getMcpServerByName(context.db, actor.organizationId, params.mcp_server_name)
      throw mcpServerUnavailable(server.server_name)
    },
  )
}
