import type { Context } from '#context.ts'
import type { McpOptions } from '#tools/mcp/mcp-server-input.ts'

/** What the operator allows, and what seals secrets. */
export const mcpOptionsOf = ({ config, secrets }: Context): McpOptions => ({
  secrets,
  policy: { allowsStdio: config.mcpStdio === 'on', allowsPrivate: config.mcpAddresses === 'any' },
})
