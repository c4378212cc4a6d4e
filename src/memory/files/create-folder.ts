import { newId } from '#platform/ids.ts'
import type { Queryable } from '#store/db.ts'
import type { FolderRow } from '#store/folders/folder-row.ts'
import { type FolderFields, insertFolder } from '#store/folders/folder-writer.ts'
import { checkFolderName, folderProblem } from './folder-rules.ts'

/** Stores a new, empty folder. Throws unprocessable for its name, conflict when the organisation has one of this name. */
export async function createFolder(
  db: Queryable,
  actor: { organizationId: string; userId: string; projectId: string | null },
  fields: FolderFields,
): Promise<FolderRow> {
  checkFolderName(fields.name)
  const { organizationId, userId, projectId } = actor
  return insertFolder(db, organizationId, { ...fields, id: newId('source'), projectId, userId }).catch((error) => {
    throw folderProblem(error, fields.name)
  })
}
