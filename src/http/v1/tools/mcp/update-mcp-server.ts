import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { mcpOptionsOf } from '#http/v1/mcp-servers/mcp-options.ts'
import { McpServerConfigSchema } from '#http/v1/mcp-servers/mcp-server-schema.ts'
import { presentMcpServerConfig } from '#http/v1/mcp-servers/present-mcp-server.ts'
import { getMcpServerByName, modifyMcpServer } from '#tools/mcp/modify-mcp-server.ts'
import { LegacyUpdateSchema, McpServerName, toConfigChange } from './legacy-schema.ts'

export function updateMcpServer(app: App, context: Context): void {
  app.patch(
    '/v1/tools/mcp/servers/:mcp_server_name',
    {
      config: { permission: 'tools:write' },
      schema: {
        operationId: 'update_mcp_server',
        tags: ['tools'],
        summary: 'Change an MCP server, in the older form; its type stays',
        params: McpServerName,
        body: LegacyUpdateSchema,
        response: { 200: McpServerConfigSchema },
      },
    },
    async ({ actor, params, body }) => {
      const server = await getMcpServerByName(context.db, actor.organizationId, params.mcp_server_name)
      const change = { server_name: body.server_name, config: toConfigChange(body, server.server_type) }
      const options = mcpOptionsOf(context)
      const changed = await modifyMcpServer(context.db, actor, server.id, change, options)
      await context.mcp.forget(actor.organizationId, server.id)
      return presentMcpServerConfig(changed)
    },
  )
}
