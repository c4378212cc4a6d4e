import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { mcpAskerOf } from '#http/v1/mcp-servers/mcp-options.ts'
import { requestSignal } from '#http/v1/mcp-servers/request-signal.ts'
import { presentTool } from '#http/v1/tools/present-tool.ts'
import { ToolSchema } from '#http/v1/tools/tool-schema.ts'
import { takeOverTool } from '#tools/mcp/ask-mcp-server.ts'
import { getMcpServerByName } from '#tools/mcp/modify-mcp-server.ts'
import { McpServerName } from './legacy-schema.ts'

export function addMcpTool(app: App, context: Context): void {
  app.post(
    '/v1/tools/mcp/servers/:mcp_server_name/:mcp_tool_name',
    {
      config: { permission: 'tools:write' },
      schema: {
        operationId: 'add_mcp_tool',
        tags: ['tools'],
        summary: 'Take one tool of an MCP server over',
        params: Type.Object({ ...McpServerName.properties, mcp_tool_name: Type.String() }),
        response: { 200: ToolSchema },
      },
    },
    async ({ actor, params }, reply) => {
      const { organizationId, userId } = actor
      const server = await getMcpServerByName(context.db, organizationId, params.mcp_server_name)
      const asking = { organizationId, userId, signal: requestSignal(reply) }
      return presentTool(await takeOverTool(mcpAskerOf(context), server, params.mcp_tool_name, asking))
    },
  )
}
