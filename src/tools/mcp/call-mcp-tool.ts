import type { SecretBox } from '#platform/secret-box.ts'
import type { Queryable } from '#store/db.ts'
import { findServerOfMcpTool, findToolByRemoteName } from '#store/mcp-servers/mcp-tool-store.ts'
import { failure, type ToolOutcome } from '#tools/tool.ts'
import { loadToolEnvironment } from '#tools/tool-environment.ts'
import { McpFailure } from './mcp-failure.ts'
import type { McpPool } from './mcp-pool.ts'
import { type ConnectableServer, toTarget } from './mcp-target.ts'
import type { Variables } from './resolve-template.ts'
import { remoteNameOf } from './sync-mcp-tools.ts'
import { toToolOutcome } from './tool-outcome.ts'

export interface McpCaller {
  db: Queryable
  secrets: SecretBox
  pool: McpPool
}

export interface McpCall {
  organizationId: string
  tool: { id: string; name: string }
  args: Record<string, unknown>
  /** Sent to the server as X-Agent-Id; null where no agent calls. */
  agentId: string | null
  /** What templates are filled from; undefined reads the agent's secrets and the variables of the sandbox. */
  variables?: Variables | undefined
}

/**
 * Calls a tool at its MCP server. Whatever goes wrong is a result that says what happened and what to do; throws only for faults of this
 * server. No database connection is held while the server works.
 */
export async function callMcpTool(caller: McpCaller, call: McpCall, signal: AbortSignal): Promise<ToolOutcome> {
  const { organizationId, tool } = call
  const server = await findServerOfMcpTool(caller.db, organizationId, tool.id)
  if (server === undefined) {
    return failure(
      `\`${tool.name}\` was not run: it belongs to an MCP server that is not known here. Add the server, refresh it, and attach its tool.`,
    )
  }
  const name = remoteNameOf({ name: server.tool_name, metadata: server.tool_metadata })
  return callAtServer(caller, server, { ...call, name }, signal)
}

/** What a server calls a tool that is given by its name here or there. */
export async function remoteNameAt(
  db: Queryable,
  organizationId: string,
  serverId: string,
  name: string,
): Promise<string> {
  const tool = await findToolByRemoteName(db, organizationId, serverId, name)
  return tool === undefined ? name : remoteNameOf(tool)
}

/** The same for a server at hand and the server's own name of a tool, stored or not. */
export async function callAtServer(
  { db, secrets, pool }: McpCaller,
  server: ConnectableServer,
  call: Omit<McpCall, 'tool'> & { name: string },
  signal: AbortSignal,
): Promise<ToolOutcome> {
  const { organizationId, agentId, name, args } = call
  try {
    const variables = call.variables ?? (await loadToolEnvironment(db, secrets, organizationId, agentId))
    const target = toTarget(organizationId, server, secrets, variables)
    return toToolOutcome(await pool.callTool(target, { name, args, agentId }, { signal }))
  } catch (error) {
    if (error instanceof McpFailure) return failure(error.message)
    throw error
  }
}
