import { DomainError, invalidArgument } from '#platform/errors.ts'
import type { SecretBox } from '#platform/secret-box.ts'
import type { Db } from '#store/db.ts'
import type { McpServerRow } from '#store/mcp-servers/mcp-server-row.ts'
import { findToolByRemoteName, saveMcpSync } from '#store/mcp-servers/mcp-tool-store.ts'
import type { ToolRow } from '#store/tools/tool-row.ts'
import { loadToolEnvironment } from '#tools/tool-environment.ts'
import type { RemoteTool } from './mcp-connection.ts'
import { McpFailure } from './mcp-failure.ts'
import type { McpPool } from './mcp-pool.ts'
import { type ConnectableServer, toTarget } from './mcp-target.ts'
import { type McpSync, syncMcpTools } from './sync-mcp-tools.ts'

/** What the functions here work with. */
export interface McpAsker {
  db: Db
  secrets: SecretBox
  pool: McpPool
}

interface Asking {
  organizationId: string
  userId: string
  /** Whose secrets fill the templates; null for those of the sandbox alone. */
  agentId?: string | null
  signal?: AbortSignal | undefined
}

/** The tools that a server has now. Throws McpFailure. */
export async function fetchMcpTools(
  { db, secrets, pool }: McpAsker,
  server: ConnectableServer,
  { organizationId, agentId = null, signal }: Omit<Asking, 'userId'>,
): Promise<RemoteTool[]> {
  const variables = await loadToolEnvironment(db, secrets, organizationId, agentId)
  const target = toTarget(organizationId, server, secrets, variables)
  return pool.listTools(target, { signal, isForced: true })
}

/** The same for routes: throws not_found with V1's `MCPServerUnavailable` where the server does not answer. */
export async function listRemoteTools(
  asker: McpAsker,
  server: ConnectableServer,
  asking: Omit<Asking, 'userId'>,
): Promise<RemoteTool[]> {
  try {
    return await fetchMcpTools(asker, server, asking)
  } catch (error) {
    throw error instanceof McpFailure ? serverUnavailable(server.server_name, error) : error
  }
}

/** Stores one tool of a server, by the server's name for it. Throws invalid_argument where it has none such, or one that is no use. */
export async function takeOverTool(
  asker: McpAsker,
  server: McpServerRow,
  remoteName: string,
  asking: Asking,
): Promise<ToolRow> {
  const tools = await listRemoteTools(asker, server, asking)
  if (!tools.some(({ name }) => name === remoteName)) {
    const names = tools.map(({ name }) => name).join(', ')
    throw invalidArgument(
      `INVALID_ARGUMENT: Tool ${remoteName} not found in MCP server ${server.server_name} - available tools: ${names || 'none'}`,
    )
  }
  const { skipped } = await syncMcpTools(asker.db, asking, server.id, tools, remoteName)
  const tool = await findToolByRemoteName(asker.db, asking.organizationId, server.id, remoteName)
  if (tool !== undefined) return tool
  const reasons = skipped.flatMap(({ reasons }) => reasons).join('; ')
  throw invalidArgument(
    `INVALID_ARGUMENT: Tool ${remoteName} cannot be attached, JSON schema is invalid. Reasons: ${reasons}`,
  )
}

/**
 * Asks a stored server for its tools and stores them. What went wrong stands in the server's `last_error`
 * too. Throws not_found with V1's `MCPServerUnavailable` where it does not answer.
 */
export async function refreshMcpServer(asker: McpAsker, server: McpServerRow, asking: Asking): Promise<McpSync> {
  const { organizationId } = asking
  try {
    const tools = await fetchMcpTools(asker, server, asking)
    return await syncMcpTools(asker.db, asking, server.id, tools)
  } catch (error) {
    if (!(error instanceof McpFailure)) throw error
    if (error.kind !== 'cancelled') await saveMcpSync(asker.db, organizationId, server.id, error.message)
    throw serverUnavailable(server.server_name, error)
  }
}

/** Asks a server that was just stored; it stays stored, with the reason, where it does not answer. */
export async function trySync(asker: McpAsker, server: McpServerRow, asking: Asking): Promise<void> {
  const signal = AbortSignal.timeout(FIRST_SYNC_MS)
  try {
    const tools = await fetchMcpTools(asker, server, { ...asking, signal })
    await syncMcpTools(asker.db, asking, server.id, tools)
  } catch (error) {
    if (!(error instanceof McpFailure)) throw error
    const text =
      error.kind === 'cancelled'
        ? `MCP server '${server.server_name}' did not tell its tools in ${FIRST_SYNC_MS / 1_000} s. Refresh it later.`
        : error.message
    await saveMcpSync(asker.db, asking.organizationId, server.id, text)
  }
}

/** Whoever stores a server does not wait longer for it. */
const FIRST_SYNC_MS = 15_000

/** V1's shape of a server that does not answer; asking again by itself would not help. */
export function serverUnavailable(serverName: string, { message, kind }: McpFailure): DomainError {
  const detail = {
    code: 'MCPServerUnavailable',
    message: `Could not connect to MCP server ${serverName} to ask for its tools`,
    error: message,
    reason: kind,
  }
  return new DomainError('not_found', message, { detail, canRetry: false })
}
