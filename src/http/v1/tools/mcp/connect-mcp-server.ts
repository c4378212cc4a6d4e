import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { mcpOptionsOf } from '#http/v1/mcp-servers/mcp-options.ts'
import { newId } from '#platform/ids.ts'
import { toStoredServer } from '#tools/mcp/mcp-server-input.ts'
import { mcpServerUnavailable } from '#tools/mcp/mcp-unavailable.ts'
import { LegacyConfigSchema, toConfig } from './legacy-schema.ts'

export function connectMcpServer(app: App, context: Context): void {
  app.post(
    '/v1/tools/mcp/servers/connect',
    {
      config: { permission: 'tools:write' },
      schema: {
        operationId: 'connect_mcp_server',
        tags: ['tools'],
        summary:
          'Connect with a configuration without storing it; this version checks it and says that it does not connect',
        body: LegacyConfigSchema,
      },
    },
    async ({ actor, body }) => {
      toStoredServer(actor.organizationId, { id: newId('mcp_server') }, toConfig(body), mcpOptionsOf(context))
      throw mcpServerUnavailable(body.server_name)
    },
  )
}
