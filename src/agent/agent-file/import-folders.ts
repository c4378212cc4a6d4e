import type { AgentAuthor } from '#agent/create-agent.ts'
import { createFolder } from '#memory/files/create-folder.ts'
import { toFileName } from '#memory/files/file-name.ts'
import { firstFreeName } from '#memory/files/first-free-name.ts'
import { cutText, insertCutFile } from '#memory/files/store-file.ts'
import { unprocessable } from '#platform/errors.ts'
import type { Queryable } from '#store/db.ts'
import { listTakenFolderNames } from '#store/folders/folder-reader.ts'
import type { FolderRow } from '#store/folders/folder-row.ts'
import { atPlace } from './at-place.ts'
import type { AgentBundle, BundledFile, BundledFolder } from './bundle.ts'

/** What was made, by the ids in the bundle. */
export interface ImportedFolders {
  folderIds: ReadonlyMap<string, string>
  fileIds: ReadonlyMap<string, string>
}

interface EmbeddingChoice {
  override: string | undefined
  fallback: string | undefined
}

/**
 * Stores the folders of a bundle with their files, always new ones: a name that is taken gets a number.
 * @param embedding handle for every folder instead of its own, and for those that have none
 */
export async function importFolders(
  tx: Queryable,
  author: AgentAuthor,
  { folders }: AgentBundle,
  embedding: EmbeddingChoice,
): Promise<ImportedFolders> {
  const folderIds = new Map<string, string>()
  const fileIds = new Map<string, string>()
  for (const bundled of folders) {
    const folder = await atPlace(bundled.place, () => importFolder(tx, author, bundled, embedding))
    folderIds.set(bundled.id, folder.id)
    const names = new Set<string>()
    for (const file of bundled.files) {
      fileIds.set(file.id, await atPlace(file.place, () => importFile(tx, author, folder, file, names)))
    }
  }
  return { folderIds, fileIds }
}

async function importFolder(
  tx: Queryable,
  author: AgentAuthor,
  { fields }: BundledFolder,
  { override, fallback }: EmbeddingChoice,
): Promise<FolderRow> {
  const name = await freeFolderName(tx, author.organizationId, fields.name)
  return createFolder(tx, author, { ...fields, name, embedding: override ?? fields.embedding ?? fallback ?? null })
}

/** The name itself, or with the first number that is free: `notes_(1)`. */
async function freeFolderName(tx: Queryable, organizationId: string, name: string): Promise<string> {
  const taken = new Set(await listTakenFolderNames(tx, organizationId, { name, start: `${name}_(` }))
  return firstFreeName({ stem: name, extension: '' }, taken)
}

/** @param names those of the folder so far, to which this one is added */
async function importFile(
  tx: Queryable,
  author: AgentAuthor,
  folder: FolderRow,
  file: BundledFile,
  names: Set<string>,
): Promise<string> {
  const name = toFileName(file.name)
  if (names.has(name)) throw unprocessable(`The folder has two files of the name '${name}'.`)
  names.add(name)
  const { id } = await insertCutFile(tx, author, folder, {
    ...cutText(file.text.replaceAll('\0', '\uFFFD').toWellFormed()),
    name,
    originalName: toFileName(file.originalName),
    mediaType: file.mediaType,
    sizeBytes: Buffer.byteLength(file.text),
  })
  return id
}
