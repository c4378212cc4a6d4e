import type { Db } from '#store/db.ts'
import {
  type ClaimedFile,
  failFile,
  finishFile,
  storePassagesOfFile,
  storeTextOfFile,
} from '#store/files/read-file-queue.ts'
import { lockFolder } from '#store/folders/folder-writer.ts'
import { documentFormatOf } from './parse/document-format.ts'
import { type ParserLimits, parseDocument } from './parse/parse-document.ts'
import { UnreadableFile } from './parse/unreadable-file.ts'
import { openForAgents, toPassages } from './store-file.ts'
import { readUploadParts } from './upload-parts.ts'

/** Passages of one statement: each is its own transaction, so that nobody waits long for the embedded database. */
const PASSAGES_AT_ONCE = 250

/**
 * Reads a file whose bytes are kept, stores its text and passages, and lets agents have it. What an attempt before has left is replaced. A file
 * that cannot be read gets the reason. False where it was deleted, cancelled or taken by somebody else meanwhile.
 * Throws ParserKilled, the reason of the signal, and what the database throws: then it can be tried again.
 */
export async function readUploadedFile(
  db: Db,
  file: ClaimedFile,
  signal: AbortSignal,
  limits?: ParserLimits,
): Promise<boolean> {
  try {
    return await readAndStore(db, file, signal, limits)
  } catch (error) {
    if (!(error instanceof UnreadableFile)) throw error
    return failFile(db, file, error.message)
  }
}

async function readAndStore(
  db: Db,
  file: ClaimedFile,
  signal: AbortSignal,
  limits: ParserLimits | undefined,
): Promise<boolean> {
  const { organization_id: organizationId } = file
  const content = readUploadParts(db, organizationId, file.id)
  const format = documentFormatOf(file.original_name, file.media_type)
  const { text, lineCount, pieces } = await parseDocument(content, format, signal, limits)
  if (!(await storeTextOfFile(db, file, { text, lineCount, passageCount: pieces.length }))) return false
  for (let at = 0; at < pieces.length; at += PASSAGES_AT_ONCE) {
    signal.throwIfAborted()
    const passages = toPassages(pieces.slice(at, at + PASSAGES_AT_ONCE), at)
    if (!(await storePassagesOfFile(db, file, passages))) return false
  }
  const isFinished = await db.transaction(async (tx) => {
    await lockFolder(tx, organizationId, file.folder_id)
    return finishFile(tx, file)
  })
  if (isFinished) await openForAgents(db, organizationId, file)
  return isFinished
}
