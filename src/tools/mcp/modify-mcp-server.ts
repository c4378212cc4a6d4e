import { notFound } from '#platform/errors.ts'
import type { Db, Queryable } from '#store/db.ts'
import { findMcpServer, findMcpServerByName } from '#store/mcp-servers/mcp-server-reader.ts'
import type { McpServerRow } from '#store/mcp-servers/mcp-server-row.ts'
import { deleteMcpServer, lockMcpServer, updateMcpServer } from '#store/mcp-servers/mcp-server-writer.ts'
import { renameServerOfMcpTools } from '#store/mcp-servers/mcp-tool-store.ts'
import { refusingTakenName } from './create-mcp-server.ts'
import { type McpOptions, type McpServerConfig, toStoredServer } from './mcp-server-input.ts'
import { mcpServerNotFound } from './mcp-server-not-found.ts'
import { tagOfServer } from './sync-mcp-tools.ts'

export interface McpServerChange {
  /** Null and undefined leave the name. */
  server_name?: string | null | undefined
  config: McpServerConfig
}

/** Changes an MCP server. Throws not_found, conflict where the new name is taken, and what `createMcpServer` throws. */
export async function modifyMcpServer(
  db: Db,
  author: { organizationId: string; userId: string },
  serverId: string,
  change: McpServerChange,
  options: McpOptions,
): Promise<McpServerRow> {
  const { organizationId, userId } = author
  return refusingTakenName(change.server_name ?? '', () =>
    db.transaction(async (tx) => {
      const stored = await lockMcpServer(tx, organizationId, serverId)
      if (stored === undefined) throw mcpServerNotFound(serverId)
      const server = toStoredServer(organizationId, { id: serverId, stored }, change.config, options)
      const server_name = change.server_name ?? stored.server_name
      const written = await updateMcpServer(tx, organizationId, { ...server, server_name }, userId)
      if (written === undefined) throw mcpServerNotFound(serverId)
      if (server_name !== stored.server_name) {
        const names = { name: server_name, tag: tagOfServer(server_name), oldTag: tagOfServer(stored.server_name) }
        await renameServerOfMcpTools(tx, organizationId, serverId, names)
      }
      return written
    }),
  )
}

/** Deletes an MCP server with its tools, which agents lose. Throws not_found. */
export async function removeMcpServer(db: Queryable, organizationId: string, serverId: string): Promise<void> {
  if (!(await deleteMcpServer(db, organizationId, serverId))) throw mcpServerNotFound(serverId)
}

/** Throws not_found. */
export async function getMcpServer(db: Queryable, organizationId: string, serverId: string): Promise<McpServerRow> {
  const server = await findMcpServer(db, organizationId, serverId)
  if (server === undefined) throw mcpServerNotFound(serverId)
  return server
}

/** Throws not_found. */
export async function getMcpServerByName(db: Queryable, organizationId: string, name: string): Promise<McpServerRow> {
  const server = await findMcpServerByName(db, organizationId, name)
  if (server === undefined) throw notFound(`MCP server not found: there is none named '${name}'.`)
  return server
}
