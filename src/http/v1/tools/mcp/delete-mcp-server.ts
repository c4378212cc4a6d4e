import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { McpServerConfigSchema } from '#http/v1/mcp-servers/mcp-server-schema.ts'
import { presentMcpServerConfig } from '#http/v1/mcp-servers/present-mcp-server.ts'
import { listMcpServers } from '#store/mcp-servers/mcp-server-reader.ts'
import { getMcpServerByName, removeMcpServer } from '#tools/mcp/modify-mcp-server.ts'
import { McpServerName } from './legacy-schema.ts'

export function deleteMcpServer(app: App, context: Context): void {
  app.delete(
    '/v1/tools/mcp/servers/:mcp_server_name',
    {
      config: { permission: 'tools:write' },
      schema: {
        operationId: 'delete_mcp_server',
        tags: ['tools'],
        summary: 'Delete an MCP server and its tools, in the older form; gives those that are left',
        params: McpServerName,
        response: { 200: Type.Array(McpServerConfigSchema) },
      },
    },
    async ({ actor, params }) => {
      const { organizationId } = actor
      const { id } = await getMcpServerByName(context.db, organizationId, params.mcp_server_name)
      await removeMcpServer(context.db, organizationId, id)
      await context.mcp.forget(organizationId, id)
      return (await listMcpServers(context.db, organizationId)).map(presentMcpServerConfig)
    },
  )
}
