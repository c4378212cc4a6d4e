import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { mcpAskerOf } from '#http/v1/mcp-servers/mcp-options.ts'
import { McpToolSchema, presentRemoteTool } from '#http/v1/mcp-servers/present-remote-tool.ts'
import { requestSignal } from '#http/v1/mcp-servers/request-signal.ts'
import { listRemoteTools } from '#tools/mcp/ask-mcp-server.ts'
import { LegacyConfigSchema } from './legacy-schema.ts'
import { toUnstoredServer } from './to-unstored-server.ts'

export function testMcpServer(app: App, context: Context): void {
  app.post(
    '/v1/tools/mcp/servers/test',
    {
      config: { permission: 'tools:write' },
      schema: {
        operationId: 'test_mcp_server',
        tags: ['tools'],
        summary: 'Try a configuration without storing it; gives the tools that the server has',
        body: LegacyConfigSchema,
        response: { 200: Type.Object({ status: Type.Literal('success'), tools: Type.Array(McpToolSchema) }) },
      },
    },
    async ({ actor, body }, reply) => {
      const { organizationId } = actor
      const server = toUnstoredServer(context, organizationId, body)
      try {
        const asking = { organizationId, signal: requestSignal(reply) }
        const tools = await listRemoteTools(mcpAskerOf(context), server, asking)
        return { status: 'success' as const, tools: tools.map(presentRemoteTool) }
      } finally {
        await context.mcp.forget(organizationId, server.id)
      }
    },
  )
}
