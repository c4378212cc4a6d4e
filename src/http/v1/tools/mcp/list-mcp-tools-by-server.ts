import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { mcpAskerOf } from '#http/v1/mcp-servers/mcp-options.ts'
import { McpToolSchema, presentRemoteTool } from '#http/v1/mcp-servers/present-remote-tool.ts'
import { requestSignal } from '#http/v1/mcp-servers/request-signal.ts'
import { listRemoteTools } from '#tools/mcp/ask-mcp-server.ts'
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
        summary: 'Ask an MCP server for its tools; nothing is stored',
        params: McpServerName,
        response: { 200: Type.Array(McpToolSchema) },
      },
    },
    async ({ actor, params }, reply) => {
      const { organizationId } = actor
      const server = await getMcpServerByName(context.db, organizationId, params.mcp_server_name)
      const asking = { organizationId, signal: requestSignal(reply) }
      return (await listRemoteTools(mcpAskerOf(context), server, asking)).map(presentRemoteTool)
    },
  )
}
