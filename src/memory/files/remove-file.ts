import type { Queryable } from '#store/db.ts'
import { fileNotFound } from '#store/files/file-reader.ts'
import { deleteFile } from '#store/files/file-writer.ts'

/** Deletes a file from its folder and from every agent that has it. Throws not_found. */
export async function removeFile(
  db: Queryable,
  organizationId: string,
  folderId: string,
  fileId: string,
): Promise<void> {
  if (!(await deleteFile(db, organizationId, folderId, fileId))) throw fileNotFound(fileId, folderId)
}
