import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { mcpAskerOf, mcpOptionsOf } from '#http/v1/mcp-servers/mcp-options.ts'
import { McpToolSchema, presentRemoteTool } from '#http/v1/mcp-servers/present-remote-tool.ts'
import { requestSignal } from '#http/v1/mcp-servers/request-signal.ts'
import { newId } from '#platform/ids.ts'
import { listRemoteTools } from '#tools/mcp/ask-mcp-server.ts'
import { toStoredServer } from '#tools/mcp/mcp-server-input.ts'
import { LegacyConfigSchema, toConfig } from './legacy-schema.ts'

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
      const unstored = toStoredServer(
        organizationId,
        { id: newId('mcp_server') },
        toConfig(body),
        mcpOptionsOf(context),
      )
      const server = { ...unstored, server_name: body.server_name }
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
