import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { mcpAskerOf, mcpOptionsOf } from '#http/v1/mcp-servers/mcp-options.ts'
import { McpServerConfigSchema } from '#http/v1/mcp-servers/mcp-server-schema.ts'
import { presentMcpServerConfig } from '#http/v1/mcp-servers/present-mcp-server.ts'
import { listMcpServers } from '#store/mcp-servers/mcp-server-reader.ts'
import * as tools from '#tools/mcp/add-mcp-server.ts'
import { LegacyConfigSchema, toConfig } from './legacy-schema.ts'

export function addMcpServer(app: App, context: Context): void {
  app.put(
    '/v1/tools/mcp/servers',
    {
      config: { permission: 'tools:write' },
      schema: {
        operationId: 'add_mcp_server',
        tags: ['tools'],
        summary: 'Store an MCP server, in the older form; gives all of them',
        body: LegacyConfigSchema,
        response: { 200: Type.Array(McpServerConfigSchema) },
      },
    },
    async ({ actor, body }) => {
      await tools.addMcpServer(mcpAskerOf(context), actor, body.server_name, toConfig(body), mcpOptionsOf(context))
      return (await listMcpServers(context.db, actor.organizationId)).map(presentMcpServerConfig)
    },
  )
}
