import { newId } from '#platform/ids.ts'
import { isUniqueViolation } from '#store/database-error.ts'
import type { Db, Queryable } from '#store/db.ts'
import { lockMcpServer } from '#store/mcp-servers/mcp-server-writer.ts'
import {
  listNamedTools,
  type McpToolToStore,
  type NamedTool,
  saveMcpSync,
  writeMcpTools,
} from '#store/mcp-servers/mcp-tool-store.ts'
import { findBuiltinTool } from '#tools/registry.ts'
import type { RemoteTool } from './mcp-connection.ts'
import { mcpServerNotFound } from './mcp-server-not-found.ts'
import { nameMcpTools, namesOfMcpTool } from './name-mcp-tools.ts'
import { normalizeToolSchema, type ToolHealth } from './normalize-tool-schema.ts'

/** What became of the tools of a server, by their names here. */
export interface McpSync {
  deleted: string[]
  updated: string[]
  added: string[]
  /** Tools that cannot be told to models, by the server's names. */
  skipped: { name: string; reasons: string[] }[]
}

/** Another server's tools can take a name while ours are being named. */
const MAX_CONFLICTS = 5
/** Of a description; models read all of it in each request. */
const MAX_DESCRIPTION = 20_000

interface Syncer {
  organizationId: string
  userId: string
}

/**
 * Makes the stored tools of a server those that it has: new ones are added, changed ones updated, and what it does not have any more is
 * deleted, from agents too. With `only` one of them is stored, and nothing deleted. Throws not_found where the server is gone.
 */
export async function syncMcpTools(
  db: Db,
  { organizationId, userId }: Syncer,
  serverId: string,
  remoteTools: readonly RemoteTool[],
  only?: string,
): Promise<McpSync> {
  const read = readTools(only === undefined ? remoteTools : remoteTools.filter(({ name }) => name === only))
  for (let conflicts = 0; ; conflicts += 1) {
    try {
      const { written, nameless } = await db.transaction(async (tx) => {
        // two who ask at once do it one after the other
        const server = await lockMcpServer(tx, organizationId, serverId)
        if (server === undefined) throw mcpServerNotFound(serverId)
        const { tools, nameless } = await toStore(tx, organizationId, server, read.valid)
        const written = await writeMcpTools(tx, organizationId, serverId, tools, {
          userId,
          removesOthers: only === undefined,
          keptIds: tools.map(({ id }) => id),
        })
        await saveMcpSync(tx, organizationId, serverId, null)
        return { written, nameless }
      })
      const names = (change: string) => written.filter((each) => each.change === change).map(({ name }) => name)
      return {
        deleted: names('deleted'),
        updated: names('updated'),
        added: names('added'),
        skipped: [...read.skipped, ...nameless],
      }
    } catch (error) {
      if (!isUniqueViolation(error) || conflicts === MAX_CONFLICTS) throw error
    }
  }
}

interface ReadTool {
  name: string
  description: string
  parameters: Record<string, unknown>
  health: ToolHealth
}

/** The tools with their schemas normalised; of several of one name the first. */
function readTools(remoteTools: readonly RemoteTool[]): { valid: ReadTool[]; skipped: McpSync['skipped'] } {
  const valid: ReadTool[] = []
  const skipped: McpSync['skipped'] = []
  const seen = new Set<string>()
  for (const { name, description, title, inputSchema } of remoteTools) {
    const { parameters, health } = normalizeToolSchema(inputSchema)
    if (seen.has(name)) skipped.push({ name, reasons: ['the server has two tools of this name'] })
    else if (health.status === 'INVALID') skipped.push({ name, reasons: health.reasons })
    else {
      const text = (description ?? title ?? name).replaceAll('\0', '').toWellFormed().slice(0, MAX_DESCRIPTION)
      valid.push({ name, description: text, parameters, health })
    }
    seen.add(name)
  }
  return { valid, skipped }
}

async function toStore(
  tx: Queryable,
  organizationId: string,
  server: { id: string; server_name: string },
  tools: readonly ReadTool[],
): Promise<{ tools: McpToolToStore[]; nameless: McpSync['skipped'] }> {
  const { id: serverId, server_name: serverName } = server
  const remoteNames = tools.map(({ name }) => name)
  const wanted = [...new Set(remoteNames.flatMap((name) => namesOfMcpTool(serverName, name)))]
  const stored = await listNamedTools(tx, organizationId, serverId, wanted)
  const own = new Map(stored.filter(({ is_own }) => is_own).map((tool) => [remoteNameOf(tool), tool]))
  const taken = new Set(stored.map(({ name }) => name))
  const names = nameMcpTools(serverName, remoteNames, {
    known: new Map([...own].map(([remote, { name }]) => [remote, name])),
    // a tool of the server itself can be deleted and come back
    isTaken: (name) => taken.has(name) || findBuiltinTool(name) !== undefined,
  })
  const toStored = tools.flatMap(({ name: remote, description, parameters, health }) => {
    const name = names.get(remote)
    if (name === undefined) return []
    return {
      id: own.get(remote)?.id ?? newId('tool'),
      name,
      description,
      json_schema: { name, description, parameters },
      tags: [tagOfServer(serverName)],
      metadata: { mcp: { server_name: serverName, server_id: serverId, tool_name: remote, health } },
    }
  })
  const nameless = remoteNames.filter((name) => !names.has(name))
  return {
    tools: toStored,
    nameless: nameless.map((name) => ({ name, reasons: ['other tools have every name for it'] })),
  }
}

export const tagOfServer = (serverName: string): string => `mcp:${serverName}`

/** What the server calls a stored tool. */
export function remoteNameOf({ name, metadata }: Pick<NamedTool, 'name' | 'metadata'>): string {
  const mcp = metadata?.mcp as { tool_name?: unknown } | undefined
  return typeof mcp?.tool_name === 'string' ? mcp.tool_name : name
}
