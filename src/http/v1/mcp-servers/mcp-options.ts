import type { Context } from '#context.ts'
import { parseAllowedHosts } from '#platform/allowed-hosts.ts'
import type { McpAsker } from '#tools/mcp/ask-mcp-server.ts'
import type { McpOptions } from '#tools/mcp/mcp-server-input.ts'

/** What the operator allows, and what seals secrets. */
export const mcpOptionsOf = ({ config, secrets }: Context): McpOptions => ({
  secrets,
  policy: {
    allowsStdio: config.mcpStdio !== 'off',
    allowsPrivate: config.mcpAddresses === 'any',
    allowed: parseAllowedHosts(config.mcpAllowedHosts ?? ''),
  },
})

/** What asks MCP servers. */
export const mcpAskerOf = ({ db, secrets, mcp }: Context): McpAsker => ({ db, secrets, pool: mcp })
