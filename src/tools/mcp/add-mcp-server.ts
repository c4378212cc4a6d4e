import { findMcpServer } from '#store/mcp-servers/mcp-server-reader.ts'
import type { McpServerRow } from '#store/mcp-servers/mcp-server-row.ts'
import { type McpAsker, trySync } from './ask-mcp-server.ts'
import { createMcpServer } from './create-mcp-server.ts'
import type { McpOptions, McpServerConfig } from './mcp-server-input.ts'

/**
 * Stores an MCP server and the tools that it has now. Where it does not answer it is stored all the same, with the reason. Throws what
 * `createMcpServer` throws.
 */
export async function addMcpServer(
  asker: McpAsker,
  author: { organizationId: string; userId: string },
  serverName: string,
  config: McpServerConfig,
  options: McpOptions,
): Promise<McpServerRow> {
  const { organizationId, userId } = author
  const server = await createMcpServer(asker.db, author, serverName, config, options)
  await trySync(asker, server, { organizationId, userId })
  return (await findMcpServer(asker.db, organizationId, server.id)) ?? server
}
