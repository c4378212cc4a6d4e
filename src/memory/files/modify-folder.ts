import type { Db } from '#store/db.ts'
import { folderNotFound } from '#store/folders/folder-reader.ts'
import type { FolderRow } from '#store/folders/folder-row.ts'
import { type FolderFields, lockFolder, updateFolder } from '#store/folders/folder-writer.ts'
import { checkFolderName, folderProblem } from './folder-rules.ts'

/** What to change: undefined leaves a field as it is, null clears what can be empty. */
export type FolderChange = { [Field in keyof FolderFields]?: FolderFields[Field] | null | undefined }

const kept = <Value>(wanted: Value | undefined, current: Value): Value => (wanted === undefined ? current : wanted)

/** Changes a folder; its files are called by its new name at once. Throws not_found, unprocessable, conflict. */
export async function modifyFolder(
  db: Db,
  actor: { organizationId: string; userId: string },
  folderId: string,
  change: FolderChange,
): Promise<FolderRow> {
  const { organizationId, userId } = actor
  if (change.name != null) checkFolderName(change.name)
  return db.transaction(async (tx) => {
    const folder = await lockFolder(tx, organizationId, folderId)
    if (folder === undefined) throw folderNotFound(folderId)
    const fields: FolderFields = {
      name: change.name ?? folder.name,
      description: kept(change.description, folder.description),
      instructions: kept(change.instructions, folder.instructions),
      metadata: kept(change.metadata, folder.metadata),
      embedding: kept(change.embedding, folder.embedding),
    }
    const row = await updateFolder(tx, organizationId, folderId, fields, userId).catch((error: unknown) => {
      throw folderProblem(error, fields.name)
    })
    if (row === undefined) throw folderNotFound(folderId)
    return row
  })
}
