import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { createMcpServer } from '#tools/mcp/create-mcp-server.ts'
import { mcpOptionsOf } from './mcp-options.ts'
import { CreateMcpServerSchema, McpServerSchema } from './mcp-server-schema.ts'
import { presentMcpServer } from './present-mcp-server.ts'

export function mcpCreateMcpServer(app: App, context: Context): void {
  app.post(
    '/v1/mcp-servers',
    {
      config: { permission: 'tools:write' },
      schema: {
        operationId: 'mcp_create_mcp_server',
        tags: ['mcp-servers'],
        summary: 'Store an MCP server',
        body: CreateMcpServerSchema,
        response: { 200: McpServerSchema },
      },
    },
    async ({ actor, body }) => {
      const { server_name: name, config } = body
      return presentMcpServer(await createMcpServer(context.db, actor, name, config, mcpOptionsOf(context)))
    },
  )
}
