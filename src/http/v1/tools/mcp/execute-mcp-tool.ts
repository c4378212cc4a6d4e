import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { mcpAskerOf } from '#http/v1/mcp-servers/mcp-options.ts'
import { requestSignal } from '#http/v1/mcp-servers/request-signal.ts'
import { ToolArguments } from '#http/v1/tools/tool-schema.ts'
import { callAtServer, remoteNameAt } from '#tools/mcp/call-mcp-tool.ts'
import { getMcpServerByName } from '#tools/mcp/modify-mcp-server.ts'
import { McpServerName } from './legacy-schema.ts'

export function executeMcpTool(app: App, context: Context): void {
  app.post(
    '/v1/tools/mcp/servers/:mcp_server_name/tools/:tool_name/execute',
    {
      config: { permission: 'tools:write' },
      schema: {
        operationId: 'execute_mcp_tool',
        tags: ['tools'],
        summary: "Run a tool of an MCP server by the server's own name for it",
        params: Type.Object({ ...McpServerName.properties, tool_name: Type.String() }),
        body: ToolArguments,
        response: { 200: Type.Object({ result: Type.String(), success: Type.Boolean() }) },
      },
    },
    async ({ actor, params, body }, reply) => {
      const { organizationId } = actor
      const server = await getMcpServerByName(context.db, organizationId, params.mcp_server_name)
      const asker = mcpAskerOf(context)
      const name = await remoteNameAt(asker.db, organizationId, server.id, params.tool_name)
      const call = { organizationId, name, args: body.args ?? {}, agentId: null }
      const { text, status } = await callAtServer(asker, server, call, requestSignal(reply))
      return { result: text, success: status === 'success' }
    },
  )
}
