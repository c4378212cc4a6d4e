import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { addMcpServer } from '#tools/mcp/add-mcp-server.ts'
import { mcpAskerOf, mcpOptionsOf } from './mcp-options.ts'
import { CreateMcpServerSchema, McpServerSchema } from './mcp-server-schema.ts'
import { presentMcpServer } from './present-mcp-server.ts'
import { tellLastError } from './tell-last-error.ts'

export function mcpCreateMcpServer(app: App, context: Context): void {
  app.post(
    '/v1/mcp-servers',
    {
      config: { permission: 'tools:write' },
      schema: {
        operationId: 'mcp_create_mcp_server',
        tags: ['mcp-servers'],
        summary:
          'Store an MCP server and the tools that it has; where it does not answer, the header x-mcp-last-error says why',
        body: CreateMcpServerSchema,
        response: { 200: McpServerSchema },
      },
    },
    async ({ actor, body }, reply) => {
      const { server_name: name, config } = body
      const server = await addMcpServer(mcpAskerOf(context), actor, name, config, mcpOptionsOf(context))
      tellLastError(reply, server)
      return presentMcpServer(server)
    },
  )
}
