import { newOrderedId } from '#platform/ids.ts'
import { archiveNotFound } from '#store/archives/archive-reader.ts'
import type { Queryable } from '#store/db.ts'
import type { PassageRow } from '#store/passages/passage-row.ts'
import { insertArchivePassages as insertRows } from '#store/passages/passage-writer.ts'
import { checkPassage, type NewPassage } from './insert-passage.ts'

export interface NewArchivePassage extends NewPassage {
  metadata?: Record<string, unknown> | null | undefined
}

/**
 * Stores passages in an archive, all of them or none, and gives them back in the same order.
 * Throws not_found for an unknown archive, and what `insertPassage` throws for a passage.
 */
export async function insertArchivePassages(
  db: Queryable,
  actor: { organizationId: string; userId: string },
  archiveId: string,
  passages: readonly NewArchivePassage[],
): Promise<PassageRow[]> {
  const rows = passages.map(({ text, tags, metadata, createdAt }) => {
    const distinct = [...new Set(tags ?? [])]
    checkPassage(text, distinct)
    const created_at = createdAt?.toISOString() ?? null
    return { id: newOrderedId('passage'), text, tags: distinct, metadata: metadata ?? null, created_at }
  })
  const stored = await insertRows(db, actor.organizationId, archiveId, rows, actor.userId)
  if (stored.length < rows.length) throw archiveNotFound(archiveId)
  return stored
}
