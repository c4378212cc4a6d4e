import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { McpServerConfigSchema } from '#http/v1/mcp-servers/mcp-server-schema.ts'
import { presentMcpServerConfig } from '#http/v1/mcp-servers/present-mcp-server.ts'
import * as reader from '#store/mcp-servers/mcp-server-reader.ts'

export function listMcpServers(app: App, context: Context): void {
  app.get(
    '/v1/tools/mcp/servers',
    {
      config: { permission: 'tools:read' },
      schema: {
        operationId: 'list_mcp_servers',
        tags: ['tools'],
        summary: 'List MCP servers by name, in the older form',
        response: { 200: Type.Record(Type.String(), McpServerConfigSchema) },
      },
    },
    async ({ actor }) => {
      const rows = await reader.listMcpServers(context.db, actor.organizationId)
      return Object.fromEntries(rows.map((row) => [row.server_name, presentMcpServerConfig(row)]))
    },
  )
}
