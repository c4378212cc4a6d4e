import type { Queryable } from '#store/db.ts'
import { folderNotFound } from '#store/folders/folder-reader.ts'
import { deleteFolder } from '#store/folders/folder-writer.ts'

/** Deletes a folder with its files, and from every agent that has it. Throws not_found. */
export async function removeFolder(db: Queryable, organizationId: string, folderId: string): Promise<void> {
  if (!(await deleteFolder(db, organizationId, folderId))) throw folderNotFound(folderId)
}
