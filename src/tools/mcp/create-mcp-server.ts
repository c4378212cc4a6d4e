import { conflict, type DomainError } from '#platform/errors.ts'
import { newId } from '#platform/ids.ts'
import { isUniqueViolation } from '#store/database-error.ts'
import type { Queryable } from '#store/db.ts'
import type { McpServerRow } from '#store/mcp-servers/mcp-server-row.ts'
import { insertMcpServer } from '#store/mcp-servers/mcp-server-writer.ts'
import { type McpOptions, type McpServerConfig, toStoredServer } from './mcp-server-input.ts'

interface McpAuthor {
  organizationId: string
  userId: string
}

/**
 * Stores an MCP server with its secrets sealed; it is not connected to. Throws conflict where the name is taken,
 * unprocessable for a bad address, invalid_argument for a program where none is allowed.
 */
export async function createMcpServer(
  db: Queryable,
  author: McpAuthor,
  serverName: string,
  config: McpServerConfig,
  options: McpOptions,
): Promise<McpServerRow> {
  const server = toStoredServer(author.organizationId, { id: newId('mcp_server') }, config, options)
  return refusingTakenName(serverName, () =>
    insertMcpServer(db, author.organizationId, { ...server, server_name: serverName }, author.userId),
  )
}

export async function refusingTakenName<Result>(name: string, write: () => Promise<Result>): Promise<Result> {
  try {
    return await write()
  } catch (error) {
    throw isUniqueViolation(error) ? nameTaken(name) : error
  }
}

const nameTaken = (name: string): DomainError =>
  conflict(`CONFLICT: There is an MCP server named '${name}' already. Choose another name, or change that one.`, {
    canRetry: false,
  })
