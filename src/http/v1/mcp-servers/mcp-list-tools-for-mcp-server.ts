import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { presentTool } from '#http/v1/tools/present-tool.ts'
import { ToolSchema } from '#http/v1/tools/tool-schema.ts'
import { listToolsOfMcpServer } from '#store/mcp-servers/mcp-server-reader.ts'
import { getMcpServer } from '#tools/mcp/modify-mcp-server.ts'
import { McpServerId } from './mcp-server-schema.ts'

export function mcpListToolsForMcpServer(app: App, context: Context): void {
  app.get(
    '/v1/mcp-servers/:mcp_server_id/tools',
    {
      config: { permission: 'tools:read' },
      schema: {
        operationId: 'mcp_list_tools_for_mcp_server',
        tags: ['mcp-servers'],
        summary: 'List the tools that were found at an MCP server',
        params: McpServerId,
        response: { 200: Type.Array(ToolSchema) },
      },
    },
    async ({ actor, params }) => {
      const { id } = await getMcpServer(context.db, actor.organizationId, params.mcp_server_id)
      return (await listToolsOfMcpServer(context.db, actor.organizationId, id)).map(presentTool)
    },
  )
}
