import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { mcpOptionsOf } from '#http/v1/mcp-servers/mcp-options.ts'
import { streamConnect } from '#http/v1/mcp-servers/stream-connect.ts'
import { newId } from '#platform/ids.ts'
import { findMcpServerByName } from '#store/mcp-servers/mcp-server-reader.ts'
import { toStoredServer } from '#tools/mcp/mcp-server-input.ts'
import { LegacyConfigSchema, toConfig } from './legacy-schema.ts'

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
      const unstored = toStoredServer(
        organizationId,
        { id: newId('mcp_server') },
        toConfig(body),
        mcpOptionsOf(context),
      )
      const stored = await findMcpServerByName(context.db, organizationId, body.server_name)
      // the stored one can keep an authorization
      if (stored?.server_url != null && stored.server_url === unstored.server_url && stored.auth_token === null) {
        return streamConnect(context, { request, reply }, stored, true)
      }
      try {
        return await streamConnect(context, { request, reply }, { ...unstored, server_name: body.server_name }, false)
      } finally {
        await context.mcp.forget(organizationId, unstored.id)
      }
    },
  )
}
