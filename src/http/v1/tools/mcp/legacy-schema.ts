import Type, { type Static } from 'typebox'
import { configFields, ServerName } from '#http/v1/mcp-servers/mcp-server-schema.ts'
import { Nullable, StringEnum } from '#http/wire/nullable.ts'
import type { McpServerConfig } from '#tools/mcp/mcp-server-input.ts'

/** Routes from before MCP servers had ids: they go by name. */
export const McpServerName = Type.Object({ mcp_server_name: Type.String() })

const ServerType = Type.Optional(StringEnum(['stdio', 'sse', 'streamable_http']))

/** A whole configuration. Without a type it is a program where it has a command, and sse otherwise, as in V1. */
export const LegacyConfigSchema = Type.Object({ server_name: ServerName, type: ServerType, ...configFields })

export function toConfig(body: Static<typeof LegacyConfigSchema>): McpServerConfig {
  const { server_name: _, type, ...config } = body
  return { mcp_server_type: type ?? (typeof body.command === 'string' ? 'stdio' : 'sse'), ...config }
}

/** What to change. `token` is what `auth_token` was called for sse. */
export const LegacyUpdateSchema = Type.Object({
  server_name: Type.Optional(Nullable(ServerName)),
  stdio_config: Type.Optional(
    Nullable(Type.Object({ server_name: Type.Optional(ServerName), type: ServerType, ...configFields })),
  ),
  token: configFields.auth_token,
  server_url: configFields.server_url,
  auth_header: configFields.auth_header,
  auth_token: configFields.auth_token,
  custom_headers: configFields.custom_headers,
})

export function toConfigChange(
  body: Static<typeof LegacyUpdateSchema>,
  type: McpServerConfig['mcp_server_type'],
): McpServerConfig {
  const { server_name: _, stdio_config, token, ...config } = body
  const { server_name: _name, type: _type, ...stdio } = stdio_config ?? {}
  const auth_token = config.auth_token === undefined ? token : config.auth_token
  return { mcp_server_type: type, ...config, ...(auth_token !== undefined && { auth_token }), ...stdio }
}
