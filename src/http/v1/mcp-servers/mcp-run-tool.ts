import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { presentExecution } from '#http/v1/tools/present-execution.ts'
import { ToolArguments, ToolExecutionResult } from '#http/v1/tools/tool-schema.ts'
import { callMcpTool } from '#tools/mcp/call-mcp-tool.ts'
import { getMcpTool, McpToolId } from './get-mcp-tool.ts'
import { mcpAskerOf } from './mcp-options.ts'
import { requestSignal } from './request-signal.ts'

export function mcpRunTool(app: App, context: Context): void {
  app.post(
    '/v1/mcp-servers/:mcp_server_id/tools/:tool_id/run',
    {
      config: { permission: 'tools:write' },
      schema: {
        operationId: 'mcp_run_tool',
        tags: ['mcp-servers'],
        summary: 'Run a tool of an MCP server',
        params: McpToolId,
        body: ToolArguments,
        response: { 200: ToolExecutionResult },
      },
    },
    async ({ actor, params, body }, reply) => {
      const { organizationId } = actor
      const { tool } = await getMcpTool(context.db, organizationId, params)
      const call = { organizationId, tool, args: body.args ?? {}, agentId: null }
      return presentExecution(await callMcpTool(mcpAskerOf(context), call, requestSignal(reply)))
    },
  )
}
