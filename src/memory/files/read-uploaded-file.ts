import type { Db } from '#store/db.ts'
import {
  type ClaimedFile,
  failFile,
  finishFile,
  storePassagesOfFile,
  storeTextOfFile,
} from '#store/files/read-file-queue.ts'
import { findStorageOfUpload } from '#store/files/stored-uploads.ts'
import { lockFolder } from '#store/folders/folder-writer.ts'
import { documentFormatOf } from './parse/document-format.ts'
import { type ParserLimits, parseDocument } from './parse/parse-document.ts'
import { UnreadableFile } from './parse/unreadable-file.ts'
import {
  StorageUnavailable,
  UploadMissing,
  type UploadStorageKind,
  type UploadStorages,
} from './storage/upload-storage.ts'
import { openForAgents, toPassages } from './store-file.ts'

export interface FilesToRead {
  db: Db
  storages: UploadStorages
}

/** Of a file, however slow the storage is. */
const MAX_FETCH_MS = 600_000
/** Passages of one statement: each is its own transaction, and a search on the embedded database waits for several of them. */
const PASSAGES_AT_ONCE = 50

/**
 * Reads a file whose bytes are kept, stores its text and passages, and lets agents have it. What an attempt before has left is replaced. A file
 * that cannot be read gets the reason. False where it was deleted, cancelled or taken by somebody else meanwhile.
 * Throws ParserKilled, StorageUnavailable, UploadMissing, the reason of the signal, and what the database throws: then it can be tried again.
 */
export async function readUploadedFile(
  { db, storages }: FilesToRead,
  file: ClaimedFile,
  signal: AbortSignal,
  limits?: ParserLimits,
): Promise<boolean> {
  try {
    return await readAndStore({ db, storages }, file, signal, limits)
  } catch (error) {
    if (!(error instanceof UnreadableFile)) throw error
    return failFile(db, file, error.message)
  }
}

async function readAndStore(
  { db, storages }: FilesToRead,
  file: ClaimedFile,
  signal: AbortSignal,
  limits: ParserLimits | undefined,
): Promise<boolean> {
  const { organization_id: organizationId } = file
  const content = readUpload({ db, storages }, file, signal)
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

/** The bytes of a file, from wherever they are: all of them, or an error. */
async function* readUpload(
  { db, storages }: FilesToRead,
  { organization_id: organizationId, id: fileId, size_bytes: sizeBytes }: ClaimedFile,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const kind = ((await findStorageOfUpload(db, organizationId, fileId)) ?? 'database') as UploadStorageKind
  const storage = storages.find(kind)
  if (storage === undefined) {
    throw new StorageUnavailable(
      kind,
      new Error(`the file is in the storage \`${kind}\`, which this server has no settings for`),
    )
  }
  const tooSlow = new StorageUnavailable(
    kind,
    new Error(`the storage took longer than ${MAX_FETCH_MS / 1000} s for the file`),
  )
  const deadline = new AbortController()
  const timer = setTimeout(() => deadline.abort(tooSlow), MAX_FETCH_MS)
  let received = 0
  try {
    for await (const chunk of storage.read({ organizationId, fileId }, AbortSignal.any([signal, deadline.signal]))) {
      deadline.signal.throwIfAborted()
      received += chunk.length
      yield chunk
    }
  } finally {
    clearTimeout(timer)
  }
  if (received === sizeBytes) return
  throw new UploadMissing(`The storage has ${received} of the ${sizeBytes} bytes of the file.`)
}
