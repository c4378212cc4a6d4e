import type { ModelRegistry } from '#llm/model.ts'
import { defaultFileLimits, type FileLimits, fileLimitsOf } from '#memory/files/file-limits.ts'
import { openFileStarts, refitOpenFiles } from '#memory/files/open-files.ts'
import { notFound } from '#platform/errors.ts'
import { listAgentFileStates, type StoredFileLimits } from '#store/agents/agent-file-reader.ts'
import { listFoldersOfAgents } from '#store/agents/agent-folder-reader.ts'
import { attachFolderRow, detachFolderRows, detachUnusedFileTools } from '#store/agents/agent-folder-writer.ts'
import { getAgent } from '#store/agents/agent-reader.ts'
import type { AgentRow } from '#store/agents/agent-row.ts'
import { attachToolRows } from '#store/agents/agent-tool-writer.ts'
import { lockAgent, updateAgent } from '#store/agents/agent-writer.ts'
import { agentNotFound } from '#store/agents/require-agent.ts'
import type { Db, Queryable } from '#store/db.ts'
import { folderNotFound, listFoldersById } from '#store/folders/folder-reader.ts'
import type { FolderRow } from '#store/folders/folder-row.ts'
import { lockFolder } from '#store/folders/folder-writer.ts'
import type { ToolRow } from '#store/tools/tool-row.ts'
import type { AgentAuthor, NewAgentInput } from './create-agent.ts'
import type { AgentChange } from './modify-agent.ts'
import { normalizeToolRules } from './normalize-tool-rules.ts'
import { approvalRulesOf, resolveTools } from './resolve-tools.ts'

/** The tools that come with an agent's first folder and go with its last. */
export const FILE_TOOLS = ['open_files', 'grep_files', 'semantic_search_files'] as const

export interface FolderDeps {
  db: Db
  models: ModelRegistry
  /** Bounds agents that name no limit of their own, in tokens. */
  maxContextWindow: number
}

/** The folders of these ids in their order, each once. Throws not_found. */
export async function resolveFolders(
  db: Queryable,
  organizationId: string,
  ids: readonly string[],
): Promise<FolderRow[]> {
  if (ids.length === 0) return []
  const found = new Map((await listFoldersById(db, organizationId, ids)).map((folder) => [folder.id, folder]))
  const unknown = [...new Set(ids)].filter((id) => !found.has(id))
  if (unknown.length > 0) throw notFound(`Folders not found: there are no folders with the ids ${unknown.join(', ')}.`)
  return [...new Set(ids)].flatMap((id) => found.get(id) ?? [])
}

/** The limits that an agent gets with its first folder, by its context window; from then on they are its own. */
export async function initialFileLimits(
  { models, maxContextWindow }: Omit<FolderDeps, 'db'>,
  organizationId: string,
  agent: Pick<AgentRow, 'model' | 'context_window_limit'>,
): Promise<FileLimits> {
  const window = await models.getModel(agent.model, organizationId).then(
    (model) => Math.min(agent.context_window_limit ?? maxContextWindow, model.info.contextWindow),
    () => agent.context_window_limit ?? undefined,
  )
  return defaultFileLimits(window)
}

/**
 * Attaches a folder with all its files, the first of them open as far as the agent's limits allow, and the tools to read files;
 * does nothing where it is attached already. Throws not_found (agent, folder).
 */
export async function attachFolder(
  deps: FolderDeps,
  author: AgentAuthor,
  agentId: string,
  folderId: string,
): Promise<void> {
  const { db } = deps
  const { organizationId } = author
  const tools = await resolveTools(db, organizationId, FILE_TOOLS, [])
  const defaults = await initialFileLimits(deps, organizationId, await getAgent(db, organizationId, agentId, {}))
  await db.transaction(async (tx) => {
    const agent = await lockAgent(tx, organizationId, agentId)
    if (agent === undefined) throw agentNotFound(agentId)
    await attachFolders(tx, author, { agent, defaults, tools }, [folderId])
  })
}

/** The same within a transaction that has locked the agent, or made it. */
export async function attachFolders(
  tx: Queryable,
  { organizationId, userId }: AgentAuthor,
  { agent, defaults, tools }: { agent: AgentRow; defaults: FileLimits; tools: readonly ToolRow[] },
  folderIds: readonly string[],
): Promise<void> {
  const limits = fileLimitsOf({
    max_files_open: agent.max_files_open ?? defaults.maxFilesOpen,
    per_file_view_window_char_limit: agent.per_file_view_window_char_limit ?? defaults.windowChars,
  })
  const before = new Set((await listAgentFileStates(tx, organizationId, agent.id)).map((file) => file.file_id))
  let hasNew = false
  for (const folderId of folderIds) {
    if ((await lockFolder(tx, organizationId, folderId)) === undefined) throw folderNotFound(folderId)
    if (await attachFolderRow(tx, organizationId, agent.id, folderId)) hasNew = true
  }
  if (!hasNew) return
  await attachToolRows(
    tx,
    organizationId,
    agent.id,
    tools.map((tool) => tool.id),
  )
  const columns = {
    max_files_open: limits.maxFilesOpen,
    per_file_view_window_char_limit: limits.windowChars,
    tool_rules: normalizeToolRules([...agent.tool_rules, ...approvalRulesOf(tools)]),
  }
  await updateAgent(tx, organizationId, agent.id, columns, userId)
  const files = await listAgentFileStates(tx, organizationId, agent.id)
  const added = files.filter((file) => !before.has(file.file_id)).map((file) => file.file_id)
  await openFileStarts(tx, organizationId, { id: agent.id, limits }, files, added)
}

/** Does nothing where it is not attached. Throws not_found (agent, folder). */
export async function detachFolder(db: Db, organizationId: string, agentId: string, folderId: string): Promise<void> {
  await db.transaction(async (tx) => {
    if ((await lockAgent(tx, organizationId, agentId)) === undefined) throw agentNotFound(agentId)
    if ((await lockFolder(tx, organizationId, folderId)) === undefined) throw folderNotFound(folderId)
    await detachFolderRows(tx, organizationId, agentId, [folderId])
    await detachUnusedFileTools(tx, organizationId, agentId)
  })
}

/** Lets an agent, locked, have these folders and no others. */
async function setAgentFolders(
  tx: Queryable,
  author: AgentAuthor,
  given: Parameters<typeof attachFolders>[2],
  folderIds: readonly string[],
): Promise<void> {
  const { organizationId } = author
  const { agent } = given
  const current = (await listFoldersOfAgents(tx, organizationId, [agent.id])).get(agent.id) ?? []
  const others = current.map((folder) => folder.id).filter((id) => !folderIds.includes(id))
  if (others.length > 0) await detachFolderRows(tx, organizationId, agent.id, others)
  await attachFolders(tx, author, given, folderIds)
  await detachUnusedFileTools(tx, organizationId, agent.id)
}

/** What a change of an agent says of its folders and limits, looked up before the transaction. */
export interface FolderChange {
  /** Undefined: they stay. */
  folderIds: string[] | undefined
  defaults: FileLimits
  tools: ToolRow[]
  hasNewLimits: boolean
}

/** Undefined where the change says nothing of folders or limits. Throws not_found (agent, folders). */
export async function resolveFolderChange(
  deps: FolderDeps,
  organizationId: string,
  agentId: string,
  change: Pick<AgentChange, 'folder_ids' | 'source_ids' | 'model' | 'context_window_limit' | keyof StoredFileLimits>,
): Promise<FolderChange | undefined> {
  const folderIds = folderIdsOf(change)
  const hasNewLimits = change.max_files_open !== undefined || change.per_file_view_window_char_limit !== undefined
  if (folderIds === undefined && !hasNewLimits) return undefined
  await resolveFolders(deps.db, organizationId, folderIds ?? [])
  const agent = await getAgent(deps.db, organizationId, agentId, {})
  const model = change.model ?? agent.model
  const limit = change.context_window_limit === undefined ? agent.context_window_limit : change.context_window_limit
  const defaults = await initialFileLimits(deps, organizationId, { model, context_window_limit: limit })
  const tools = folderIds === undefined ? [] : await resolveTools(deps.db, organizationId, FILE_TOOLS, [])
  return { folderIds, defaults, tools, hasNewLimits }
}

/** Does what was resolved, in the transaction that has locked and changed the agent. */
export async function applyFolderChange(
  tx: Queryable,
  author: AgentAuthor,
  agentId: string,
  { folderIds, defaults, tools, hasNewLimits }: FolderChange,
): Promise<void> {
  const current = async () => {
    const agent = await lockAgent(tx, author.organizationId, agentId)
    if (agent === undefined) throw agentNotFound(agentId)
    return agent
  }
  if (hasNewLimits) {
    await refitOpenFiles(tx, author.organizationId, { id: agentId, limits: fileLimitsOf(await current()) })
  }
  if (folderIds !== undefined) {
    await setAgentFolders(tx, author, { agent: await current(), defaults, tools }, folderIds)
  }
}

/** The folders that a request names, by either of the two fields; undefined where it says nothing of them. */
export function folderIdsOf(input: Pick<NewAgentInput, 'folder_ids' | 'source_ids'>): string[] | undefined {
  if (input.folder_ids == null && input.source_ids == null) return undefined
  return [...new Set([...(input.folder_ids ?? []), ...(input.source_ids ?? [])])]
}
