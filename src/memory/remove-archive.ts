import { archiveNotFound } from '#store/archives/archive-reader.ts'
import { deleteArchive } from '#store/archives/archive-writer.ts'
import type { Queryable } from '#store/db.ts'

/** Deletes an archive with its passages, and takes it from every agent that has it. Throws not_found. */
export async function removeArchive(db: Queryable, organizationId: string, archiveId: string): Promise<void> {
  if (!(await deleteArchive(db, organizationId, archiveId))) throw archiveNotFound(archiveId)
}
