import { invalidArgument } from '#platform/errors.ts'
import { newId, newOrderedId } from '#platform/ids.ts'
import { listAgentFileStates } from '#store/agents/agent-file-reader.ts'
import { listAgentIdsOfFolder } from '#store/agents/agent-folder-reader.ts'
import { lockAgent } from '#store/agents/agent-writer.ts'
import type { Db, Queryable } from '#store/db.ts'
import { findFileByName, listTakenFileNames } from '#store/files/file-reader.ts'
import type { FileRow } from '#store/files/file-row.ts'
import { deleteFile, type FilePassageToInsert, insertFile, insertFilePassages } from '#store/files/file-writer.ts'
import { folderNotFound } from '#store/folders/folder-reader.ts'
import { lockFolder } from '#store/folders/folder-writer.ts'
import { fileLimitsOf } from './file-limits.ts'
import { firstFreeName } from './first-free-name.ts'
import { openFileStarts } from './open-files.ts'
import { checkFormat, decodeText, splitExtension, toFileName } from './parse-file.ts'
import { splitLines } from './split-lines.ts'
import { splitPassages } from './split-passages.ts'

export type DuplicateHandling = 'skip' | 'error' | 'suffix' | 'replace'

export interface Upload {
  /** As the client called it; of a path the last part counts. */
  fileName: string
  mediaType: string | null
  bytes: Uint8Array
  /** What it shall be called instead. */
  name: string | null
  duplicateHandling: DuplicateHandling
}

/** Passages of one statement. */
const PASSAGES_AT_ONCE = 1_000

/**
 * Stores a file in a folder with its text, cut into passages: everything or nothing, and done when it is seen. Agents that have the
 * folder get it opened, as far as their limits allow. Gives the file there was where the name is taken and that is to be skipped.
 * Throws unsupported for what is no text, not_found for an unknown folder, invalid_argument for a taken name, unprocessable for
 * a name that is none.
 */
export async function storeFile(
  db: Db,
  actor: { organizationId: string; userId: string },
  folderId: string,
  upload: Upload,
): Promise<{ file: FileRow; wasSkipped: boolean }> {
  const { organizationId } = actor
  const parsed = parse(upload)
  const stored = await db.transaction(async (tx) => {
    const folder = await lockFolder(tx, organizationId, folderId)
    if (folder === undefined) throw folderNotFound(folderId)
    const existing = await findFileByName(tx, organizationId, folderId, parsed.name)
    if (existing !== undefined && upload.duplicateHandling === 'skip') return { file: existing, wasSkipped: true }
    if (existing !== undefined && upload.duplicateHandling === 'error') {
      throw invalidArgument(
        `INVALID_ARGUMENT: A file named '${parsed.name}' is in folder '${folder.name}' already. Use another name, or another duplicate_handling.`,
      )
    }
    if (existing !== undefined && upload.duplicateHandling === 'replace') {
      await deleteFile(tx, organizationId, folderId, existing.id)
    }
    const isRenamed = existing !== undefined && upload.duplicateHandling === 'suffix'
    const name = isRenamed ? await freeName(tx, organizationId, folderId, parsed.name) : parsed.name
    const description = { mediaType: upload.mediaType, sizeBytes: upload.bytes.length }
    return { file: await insertCutFile(tx, actor, folder, { ...parsed, ...description, name }), wasSkipped: false }
  })
  if (!stored.wasSkipped) await openForAgents(db, organizationId, stored.file)
  return stored
}

/** A text and what it is cut into. */
interface CutText {
  text: string
  lineCount: number
  passages: FilePassageToInsert[]
}

interface FileName {
  name: string
  originalName: string
}

/** Stores a file whose name is free, closed for every agent that has the folder. The folder is locked, or new. */
export async function insertCutFile(
  tx: Queryable,
  actor: { organizationId: string; userId: string },
  folder: { id: string; name: string },
  file: CutText & FileName & { mediaType: string | null; sizeBytes: number },
): Promise<FileRow> {
  const { organizationId, userId } = actor
  const row = {
    id: newId('file'),
    folder_id: folder.id,
    name: file.name,
    original_name: file.originalName,
    media_type: file.mediaType,
    size_bytes: file.sizeBytes,
    char_count: file.text.length,
    line_count: file.lineCount,
    passage_count: file.passages.length,
  }
  const times = await insertFile(tx, organizationId, row, file.text, { userId, jobId: newOrderedId('job') })
  for (let at = 0; at < file.passages.length; at += PASSAGES_AT_ONCE) {
    await insertFilePassages(tx, organizationId, row, file.passages.slice(at, at + PASSAGES_AT_ONCE))
  }
  return { ...row, ...times, folder_name: folder.name }
}

/** Cuts a text into the passages by which it is found. */
export function cutText(text: string): CutText {
  const passages = splitPassages(text).map((piece, index) => ({
    id: newOrderedId('passage'),
    position: index + 1,
    start_line: piece.startLine,
    end_line: piece.endLine,
    text: piece.text,
  }))
  return { text, lineCount: splitLines(text).length, passages }
}

function parse(upload: Upload): CutText & FileName {
  const originalName = toFileName(upload.fileName)
  checkFormat(originalName, upload.mediaType)
  const wanted = upload.name === null ? originalName : toFileName(upload.name)
  const { extension } = splitExtension(originalName)
  const name = splitExtension(wanted).extension === '' ? toFileName(wanted + extension) : wanted
  return { name, originalName, ...cutText(decodeText(upload.bytes)) }
}

/** Another name for one that is taken. */
async function freeName(tx: Queryable, organizationId: string, folderId: string, name: string): Promise<string> {
  const { stem, extension } = splitExtension(name)
  const numbered = await listTakenFileNames(tx, organizationId, folderId, { start: `${stem}_(`, end: extension })
  return toFileName(firstFreeName({ stem, extension }, new Set([name, ...numbered])))
}

/** One transaction for each agent: they are independent, and the file is theirs already, if closed. */
async function openForAgents(db: Db, organizationId: string, file: FileRow): Promise<void> {
  for (const agentId of await listAgentIdsOfFolder(db, organizationId, file.folder_id)) {
    await db.transaction(async (tx) => {
      const agent = await lockAgent(tx, organizationId, agentId)
      if (agent === undefined) return
      const files = await listAgentFileStates(tx, organizationId, agentId)
      await openFileStarts(tx, organizationId, { id: agentId, limits: fileLimitsOf(agent) }, files, [file.id])
    })
  }
}
