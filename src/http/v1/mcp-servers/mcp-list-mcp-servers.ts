import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { listMcpServers } from '#store/mcp-servers/mcp-server-reader.ts'
import { McpServerSchema } from './mcp-server-schema.ts'
import { presentMcpServer } from './present-mcp-server.ts'

export function mcpListMcpServers(app: App, context: Context): void {
  app.get(
    '/v1/mcp-servers',
    {
      config: { permission: 'tools:read' },
      schema: {
        operationId: 'mcp_list_mcp_servers',
        tags: ['mcp-servers'],
        summary: 'List MCP servers',
        response: { 200: Type.Array(McpServerSchema) },
      },
    },
    async ({ actor }) => (await listMcpServers(context.db, actor.organizationId)).map(presentMcpServer),
  )
}
