import { notFound } from '#platform/errors.ts'
import { type AgentFileState, listAgentFileStates, readFileStarts } from '#store/agents/agent-file-reader.ts'
import { type FileView, setFileViews } from '#store/agents/agent-file-writer.ts'
import { lockAgent } from '#store/agents/agent-writer.ts'
import { agentNotFound, requireAgent } from '#store/agents/require-agent.ts'
import type { Db, Queryable } from '#store/db.ts'
import { type FileLimits, fileLimitsOf } from './file-limits.ts'
import { filesToClose } from './plan-open-files.ts'
import { viewFile } from './view-file.ts'

/** A file that is not shown any more. */
export const closedView = (fileId: string): FileView => ({
  file_id: fileId,
  is_open: false,
  start_line: null,
  end_line: null,
  visible_content: null,
})

/**
 * Opens files of an agent from their beginning, as many as it may have open; those that were not used for the longest time
 * are closed for them. The agent is locked. Gives the names of what was closed.
 */
export async function openFileStarts(
  tx: Queryable,
  organizationId: string,
  agent: { id: string; limits: FileLimits },
  files: readonly AgentFileState[],
  fileIds: readonly string[],
): Promise<string[]> {
  const { maxFilesOpen, windowChars } = agent.limits
  const wanted = fileIds.slice(0, maxFilesOpen)
  if (wanted.length === 0) return []
  const closed = filesToClose(files, new Set(wanted), maxFilesOpen)
  const starts = await readFileStarts(tx, organizationId, wanted, windowChars)
  const opened = files
    .filter((file) => wanted.includes(file.file_id))
    .map((file) => ({
      file_id: file.file_id,
      is_open: true,
      start_line: null,
      end_line: null,
      visible_content: viewFile(
        starts.get(file.file_id) ?? '',
        { lineCount: file.line_count, range: null },
        windowChars,
      ),
    }))
  await setFileViews(tx, organizationId, agent.id, [...closed.map((file) => closedView(file.file_id)), ...opened])
  return closed.map((file) => file.file_name)
}

/** Opens one file for an agent. Gives the names of files that were closed for it. Throws not_found (agent, file of the agent). */
export async function openFile(db: Db, organizationId: string, agentId: string, fileId: string): Promise<string[]> {
  return db.transaction(async (tx) => {
    const agent = await lockAgent(tx, organizationId, agentId)
    if (agent === undefined) throw agentNotFound(agentId)
    const files = await listAgentFileStates(tx, organizationId, agentId)
    if (!files.some((file) => file.file_id === fileId)) throw notAttached(fileId, agentId)
    const limits = fileLimitsOf(agent)
    return openFileStarts(tx, organizationId, { id: agentId, limits }, files, [fileId])
  })
}

const notAttached = (fileId: string, agentId: string) =>
  notFound(`File ${fileId} was not found: agent ${agentId} has no folder with it.`)

/** Does nothing where it is closed already. Throws not_found (agent, file of the agent). */
export async function closeFile(db: Queryable, organizationId: string, agentId: string, fileId: string): Promise<void> {
  await requireAgent(db, organizationId, agentId)
  const files = await listAgentFileStates(db, organizationId, agentId)
  if (!files.some((file) => file.file_id === fileId)) throw notAttached(fileId, agentId)
  await setFileViews(db, organizationId, agentId, [closedView(fileId)])
}

/** Closes what is open; gives the names. Throws not_found. */
export async function closeAllFiles(db: Queryable, organizationId: string, agentId: string): Promise<string[]> {
  await requireAgent(db, organizationId, agentId)
  const open = (await listAgentFileStates(db, organizationId, agentId)).filter((file) => file.is_open)
  await setFileViews(
    db,
    organizationId,
    agentId,
    open.map((file) => closedView(file.file_id)),
  )
  return open.map((file) => file.file_name)
}

/** Fits what an agent has open to limits that have just changed: closes what is too much, and cuts or widens the rest. */
export async function refitOpenFiles(
  tx: Queryable,
  organizationId: string,
  agent: { id: string; limits: FileLimits },
): Promise<void> {
  const files = await listAgentFileStates(tx, organizationId, agent.id)
  const closed = filesToClose(files, new Set(), agent.limits.maxFilesOpen)
  const kept = files.filter((file) => file.is_open && !closed.includes(file))
  const views: FileView[] = closed.map((file) => closedView(file.file_id))
  // the one that was used last stays so
  for (const file of kept.toSorted(
    (a, b) => (a.last_accessed_at?.getTime() ?? 0) - (b.last_accessed_at?.getTime() ?? 0),
  )) {
    views.push(await viewAgain(tx, organizationId, file, agent.limits.windowChars))
  }
  await setFileViews(tx, organizationId, agent.id, views)
}

/** A file that shall be open: from its beginning where it has no lines. */
export type FileToShow = Pick<AgentFileState, 'file_id' | 'start_line' | 'end_line'>

/** Lets an agent, locked or new, have these files open and no others: the last of them, as many as it may. */
export async function showFiles(
  tx: Queryable,
  organizationId: string,
  agent: { id: string; limits: FileLimits },
  shown: readonly FileToShow[],
): Promise<void> {
  const files = new Map((await listAgentFileStates(tx, organizationId, agent.id)).map((file) => [file.file_id, file]))
  const views: FileView[] = []
  for (const wanted of shown.slice(Math.max(0, shown.length - agent.limits.maxFilesOpen))) {
    const file = files.get(wanted.file_id)
    if (file === undefined) continue
    files.delete(wanted.file_id)
    views.push(await viewAgain(tx, organizationId, { ...file, ...wanted }, agent.limits.windowChars))
  }
  const others = [...files.values()].filter((file) => file.is_open).map((file) => closedView(file.file_id))
  await setFileViews(tx, organizationId, agent.id, [...others, ...views])
}

async function viewAgain(
  tx: Queryable,
  organizationId: string,
  file: AgentFileState,
  windowChars: number,
): Promise<FileView> {
  const { file_id, start_line, end_line, line_count: lineCount } = file
  const range = start_line === null || end_line === null ? null : { start: start_line, end: end_line }
  const length = range === null ? windowChars : file.char_count
  const text = (await readFileStarts(tx, organizationId, [file_id], length)).get(file_id) ?? ''
  const visible_content = viewFile(text, { lineCount, range }, windowChars)
  return { file_id, is_open: true, start_line, end_line, visible_content }
}
