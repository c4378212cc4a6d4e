import { newId } from '#platform/ids.ts'
import type { ArchiveRow } from '#store/archives/archive-row.ts'
import { insertArchive } from '#store/archives/archive-writer.ts'
import type { Queryable } from '#store/db.ts'
import { checkArchiveName } from './archive-rules.ts'

/** Stores a new, empty archive. Throws unprocessable for an empty name. */
export async function createArchive(
  db: Queryable,
  actor: { organizationId: string; userId: string; projectId: string | null },
  input: { name: string; description: string | null; embedding: string | null },
): Promise<ArchiveRow> {
  checkArchiveName(input.name)
  const { organizationId, userId, projectId } = actor
  return insertArchive(db, organizationId, { id: newId('archive'), projectId, userId, ...input })
}
