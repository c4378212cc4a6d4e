import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { streamConnect } from '#http/v1/mcp-servers/stream-connect.ts'
import { findMcpServerByName } from '#store/mcp-servers/mcp-server-reader.ts'
import { LegacyConfigSchema } from './legacy-schema.ts'
import { toUnstoredServer } from './to-unstored-server.ts'

export function connectMcpServer(app: App, context: Context): void {
  app.post(
    '/v1/tools/mcp/servers/connect',
    {
      config: { permission: 'tools:write' },
      schema: {
        operationId: 'connect_mcp_server',
        tags: ['tools'],
        summary: 'Connect with a configuration without storing it; a stream of server-sent events',
        body: LegacyConfigSchema,
      },
    },
    async (request, reply) => {
      const { actor, body } = request
      const { organizationId } = actor
      const unstored = toUnstoredServer(context, organizationId, body)
      const stored = await findMcpServerByName(context.db, organizationId, body.server_name)
      // the stored one can keep an authorization
      if (stored?.server_url != null && stored.server_url === unstored.server_url && stored.auth_token === null) {
        return streamConnect(context, { request, reply }, stored, true)
      }
      try {
        return await streamConnect(context, { request, reply }, unstored, false)
      } finally {
        await context.mcp.forget(organizationId, unstored.id)
      }
    },
  )
}
