import { archiveNotFound } from '#store/archives/archive-reader.ts'
import type { ArchiveRow } from '#store/archives/archive-row.ts'
import { updateArchive } from '#store/archives/archive-writer.ts'
import type { Queryable } from '#store/db.ts'
import { checkArchiveName } from './archive-rules.ts'

/** Changes an archive; undefined leaves a field as it is, null clears the description. Throws not_found, unprocessable. */
export async function modifyArchive(
  db: Queryable,
  actor: { organizationId: string; userId: string },
  archiveId: string,
  change: { name?: string | null | undefined; description?: string | null | undefined },
): Promise<ArchiveRow> {
  if (change.name != null) checkArchiveName(change.name)
  const row = await updateArchive(db, actor.organizationId, archiveId, change, actor.userId)
  if (row === undefined) throw archiveNotFound(archiveId)
  return row
}
