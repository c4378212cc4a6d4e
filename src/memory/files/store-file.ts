import { invalidArgument } from '#platform/errors.ts'
import { newId, newOrderedId } from '#platform/ids.ts'
import { listAgentFileStates } from '#store/agents/agent-file-reader.ts'
import { listAgentIdsOfFolder } from '#store/agents/agent-folder-reader.ts'
import { lockAgent } from '#store/agents/agent-writer.ts'
import type { Db, Queryable } from '#store/db.ts'
import { findFileByName, listTakenFileNames } from '#store/files/file-reader.ts'
import type { FileRow } from '#store/files/file-row.ts'
import { insertFileToRead } from '#store/files/file-upload.ts'
import { deleteFile, type FilePassageToInsert, insertFile, insertFilePassages } from '#store/files/file-writer.ts'
import { folderNotFound } from '#store/folders/folder-reader.ts'
import type { FolderRow } from '#store/folders/folder-row.ts'
import { lockFolder } from '#store/folders/folder-writer.ts'
import { fileLimitsOf } from './file-limits.ts'
import { splitExtension, toFileName } from './file-name.ts'
import { firstFreeName } from './first-free-name.ts'
import { IncomingUpload } from './incoming-upload.ts'
import { openFileStarts } from './open-files.ts'
import { decodeText } from './parse/decode-text.ts'
import { documentFormatOf } from './parse/document-format.ts'
import { splitLines } from './split-lines.ts'
import { type Piece, splitPassages } from './split-passages.ts'
import type { UploadStorage } from './storage/upload-storage.ts'

export type DuplicateHandling = 'skip' | 'error' | 'suffix' | 'replace'

export interface Upload {
  /** As the client called it; of a path the last part counts. */
  fileName: string
  mediaType: string | null
  /** As it arrives. */
  content: AsyncIterable<Uint8Array>
  /** What it shall be called instead. */
  name: string | null
  duplicateHandling: DuplicateHandling
}

export interface StoredFile {
  file: FileRow
  wasSkipped: boolean
}

interface Actor {
  organizationId: string
  userId: string
}

/** Texts up to this size are read at once: they are done when the answer comes. */
const MAX_BYTES_AT_ONCE = 512 * 1024
/** Passages of one statement. */
const PASSAGES_AT_ONCE = 1_000

/**
 * Stores a file in a folder. A text of moderate size is cut into passages and done when it is seen, and agents that have the folder get it
 * opened, as far as their limits allow; everything else waits to be read in the background (`jobs/read-uploaded-files.ts`). Gives the file there was where
 * the name is taken and that is to be skipped. Throws unsupported for a format that cannot be read, before any of it is taken; not_found for
 * an unknown folder, invalid_argument for a taken name, unprocessable for a name that is none, unavailable where the storage fails.
 */
export async function storeFile(
  { db, storage }: { db: Db; storage: UploadStorage },
  actor: Actor,
  folderId: string,
  upload: Upload,
): Promise<StoredFile> {
  const { organizationId } = actor
  const names = namesOf(upload)
  const format = documentFormatOf(names.originalName, upload.mediaType)
  const { mediaType, duplicateHandling } = upload
  await using incoming = new IncomingUpload(db, storage, organizationId, upload.content)
  const start = await incoming.readStart(MAX_BYTES_AT_ONCE)
  if (format === 'text' && start.isWhole) {
    const cut = cutText(decodeText(start.bytes))
    const described = { ...names, ...cut, mediaType, sizeBytes: start.bytes.length }
    const stored = await placeFile(db, actor, folderId, { ...names, duplicateHandling }, (tx, folder, name) =>
      insertCutFile(tx, actor, folder, { ...described, name }),
    )
    if (!stored.wasSkipped) await openForAgents(db, organizationId, stored.file)
    return stored
  }
  const { sizeBytes } = await incoming.keep()
  const stored = await placeFile(db, actor, folderId, { ...names, duplicateHandling }, (tx, folder, name) =>
    insertUnreadFile(tx, actor, folder, { id: incoming.fileId, ...names, name, mediaType, sizeBytes }),
  )
  if (!stored.wasSkipped) incoming.handOver()
  return stored
}

/** Finds a name in the folder, and lets the file be inserted under it: in one transaction, with the folder locked. */
async function placeFile(
  db: Db,
  { organizationId }: Actor,
  folderId: string,
  wanted: { name: string; duplicateHandling: DuplicateHandling },
  insert: (tx: Queryable, folder: FolderRow, name: string) => Promise<FileRow>,
): Promise<StoredFile> {
  const { name, duplicateHandling } = wanted
  return db.transaction(async (tx) => {
    const folder = await lockFolder(tx, organizationId, folderId)
    if (folder === undefined) throw folderNotFound(folderId)
    const existing = await findFileByName(tx, organizationId, folderId, name)
    if (existing !== undefined && duplicateHandling === 'skip') return { file: existing, wasSkipped: true }
    if (existing !== undefined && duplicateHandling === 'error') {
      throw invalidArgument(
        `INVALID_ARGUMENT: A file named '${name}' is in folder '${folder.name}' already. Use another name, or another duplicate_handling.`,
      )
    }
    if (existing !== undefined && duplicateHandling === 'replace') {
      await deleteFile(tx, organizationId, folderId, existing.id)
    }
    const isRenamed = existing !== undefined && duplicateHandling === 'suffix'
    const free = isRenamed ? await freeName(tx, organizationId, folderId, name) : name
    return { file: await insert(tx, folder, free), wasSkipped: false }
  })
}

async function insertUnreadFile(
  tx: Queryable,
  { organizationId, userId }: Actor,
  folder: { id: string; name: string },
  file: FileName & { id: string; mediaType: string | null; sizeBytes: number },
): Promise<FileRow> {
  const row = {
    id: file.id,
    folder_id: folder.id,
    name: file.name,
    original_name: file.originalName,
    media_type: file.mediaType,
    size_bytes: file.sizeBytes,
  }
  const times = await insertFileToRead(tx, organizationId, row, { userId, jobId: newOrderedId('job') })
  const counts = { char_count: 0, line_count: 0, passage_count: 0, stored_passage_count: 0 }
  const state = { processing_status: 'pending', error_message: null } as const
  return { ...row, ...counts, ...state, ...times, folder_name: folder.name }
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
  const state = { processing_status: 'completed', error_message: null, stored_passage_count: null } as const
  return { ...row, ...state, ...times, folder_name: folder.name }
}

/** Cuts a text into the passages by which it is found. */
export function cutText(text: string): CutText {
  return { text, lineCount: splitLines(text).length, passages: toPassages(splitPassages(text)) }
}

/** @param before how many passages of the file come before these */
export function toPassages(pieces: readonly Piece[], before = 0): FilePassageToInsert[] {
  return pieces.map((piece, index) => ({
    id: newOrderedId('passage'),
    position: before + index + 1,
    start_line: piece.startLine,
    end_line: piece.endLine,
    text: piece.text,
  }))
}

function namesOf(upload: Upload): FileName {
  const originalName = toFileName(upload.fileName)
  const wanted = upload.name === null ? originalName : toFileName(upload.name)
  const { extension } = splitExtension(originalName)
  const name = splitExtension(wanted).extension === '' ? toFileName(wanted + extension) : wanted
  return { name, originalName }
}

/** Another name for one that is taken. */
async function freeName(tx: Queryable, organizationId: string, folderId: string, name: string): Promise<string> {
  const { stem, extension } = splitExtension(name)
  const numbered = await listTakenFileNames(tx, organizationId, folderId, { start: `${stem}_(`, end: extension })
  return toFileName(firstFreeName({ stem, extension }, new Set([name, ...numbered])))
}

/**
 * Opens a file that is new for the agents that have its folder. One transaction for each agent: they are independent, and the file is
 * theirs already, if closed.
 */
export async function openForAgents(
  db: Db,
  organizationId: string,
  file: Pick<FileRow, 'id' | 'folder_id'>,
): Promise<void> {
  for (const agentId of await listAgentIdsOfFolder(db, organizationId, file.folder_id)) {
    await db.transaction(async (tx) => {
      const agent = await lockAgent(tx, organizationId, agentId)
      if (agent === undefined) return
      const files = await listAgentFileStates(tx, organizationId, agentId)
      await openFileStarts(tx, organizationId, { id: agentId, limits: fileLimitsOf(agent) }, files, [file.id])
    })
  }
}
