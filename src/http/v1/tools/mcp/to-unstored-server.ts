import type { Static } from 'typebox'
import type { Context } from '#context.ts'
import { mcpOptionsOf } from '#http/v1/mcp-servers/mcp-options.ts'
import { newId } from '#platform/ids.ts'
import { toStoredServer } from '#tools/mcp/mcp-server-input.ts'
import { type LegacyConfigSchema, toConfig } from './legacy-schema.ts'

/** A server that is only tried: checked as a stored one, with an id that nothing else has. Throws as `toStoredServer` does. */
export function toUnstoredServer(context: Context, organizationId: string, body: Static<typeof LegacyConfigSchema>) {
  const server = toStoredServer(organizationId, { id: newId('mcp_server') }, toConfig(body), mcpOptionsOf(context))
  return { ...server, server_name: body.server_name }
}
