import { newOrderedId } from '#platform/ids.ts'
import { archiveNotFound } from '#store/archives/archive-reader.ts'
import type { Queryable } from '#store/db.ts'
import { insertArchivePassages as insertRows, type WrittenPassageRow } from '#store/passages/passage-writer.ts'
import { factKey, mergeFacts } from './fact-key.ts'
import { checkPassage, type NewPassage, type PassageActor } from './insert-passage.ts'

export interface NewArchivePassage extends NewPassage {
  metadata?: Record<string, unknown> | null | undefined
}

/**
 * Stores passages in an archive, all of them or none, and gives them back in the same order. In the place of one that says what another
 * one says, of the archive or before it in the list, stands that other one, with the tags of both. Throws not_found for an unknown archive,
 * and what `insertPassage` throws for a passage.
 */
export async function insertArchivePassages(
  db: Queryable,
  actor: PassageActor,
  archiveId: string,
  passages: readonly NewArchivePassage[],
): Promise<WrittenPassageRow[]> {
  const rows = passages.map(({ text, tags, metadata, createdAt, allowDuplicate }) => {
    const distinct = [...new Set(tags ?? [])]
    checkPassage(text, distinct)
    return {
      id: newOrderedId('passage'),
      text,
      fact_key: allowDuplicate === true ? null : factKey(text),
      tags: distinct,
      metadata: metadata ?? null,
      created_at: createdAt?.toISOString() ?? null,
    }
  })
  const facts = mergeFacts(rows)
  const author = { type: 'user', userId: actor.userId, toolName: actor.toolName } as const
  const stored = await insertRows(db, actor.organizationId, archiveId, facts, author)
  if (stored.length < facts.length) throw archiveNotFound(archiveId)
  const written = new Map(facts.map((fact, index) => [fact.fact_key ?? fact.id, { fact, row: stored[index] }]))
  return rows.flatMap((given) => {
    const { fact, row } = written.get(given.fact_key ?? given.id) ?? {}
    return row === undefined ? [] : [{ ...row, isDuplicate: row.isDuplicate || given.id !== fact?.id }]
  })
}
