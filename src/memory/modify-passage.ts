import { isDeepStrictEqual } from 'node:util'
import { conflict, notFound } from '#platform/errors.ts'
import type { Author } from '#store/author.ts'
import { isUniqueViolation } from '#store/database-error.ts'
import type { Queryable } from '#store/db.ts'
import { findFactId } from '#store/passages/find-known-facts.ts'
import { findPassage } from '#store/passages/passage-reader.ts'
import type { PassageRow } from '#store/passages/passage-row.ts'
import { type PassageUpdate, updatePassage } from '#store/passages/update-passage.ts'
import { checkVersion } from './check-version.ts'
import { factKey } from './fact-key.ts'
import { checkPassage } from './insert-passage.ts'
import { retryConflicts } from './retry-conflicts.ts'

/** What to change; null and undefined leave a field as it is. */
export interface PassageChange {
  text?: string | null | undefined
  tags?: readonly string[] | null | undefined
  metadata?: Record<string, unknown> | null | undefined
  /** The version that the change was made for. */
  expectedVersion?: number | null | undefined
  /** The text may say what another passage of the archive says. */
  allowDuplicate?: boolean | null | undefined
}

/** Throws not_found. */
export async function getPassage(db: Queryable, organizationId: string, passageId: string): Promise<PassageRow> {
  const passage = await findPassage(db, organizationId, passageId)
  if (passage === undefined) throw notFound(`Passage ${passageId} was not found.`)
  return passage
}

/**
 * Changes a passage; what it was is kept as a version. Throws not_found; what `insertPassage` throws for a passage; conflict when it is not at
 * the version expected, and when another passage of its archive says what it would say.
 */
export async function modifyPassage(
  db: Queryable,
  organizationId: string,
  passageId: string,
  change: PassageChange,
  author: Author,
): Promise<PassageRow> {
  return retryConflicts(`Passage ${passageId}`, async () => {
    const passage = await getPassage(db, organizationId, passageId)
    checkVersion(`Passage ${passageId}`, passage.version, change.expectedVersion)
    const text = change.text ?? passage.text
    const tags = change.tags === null || change.tags === undefined ? null : [...new Set(change.tags)]
    const metadata = change.metadata ?? passage.metadata
    const isSame = text === passage.text && isDeepStrictEqual(metadata, passage.metadata)
    if (isSame && (tags === null || isDeepStrictEqual(tags, passage.tags))) return passage
    checkPassage(text, tags ?? [])
    const key = change.allowDuplicate === true ? null : factKey(text)
    const { id, version, tags: formerTags } = passage
    const update = { id, version, text, factKey: key, tags, formerTags, metadata }
    return write(db, organizationId, passage.archive_id, update, author)
  })
}

async function write(
  db: Queryable,
  organizationId: string,
  archiveId: string,
  update: PassageUpdate,
  author: Author,
): Promise<PassageRow | undefined> {
  try {
    return await updatePassage(db, organizationId, update, author)
  } catch (error) {
    if (!isUniqueViolation(error) || update.factKey === null) throw error
    const other = await findFactId(db, organizationId, archiveId, update.factKey)
    throw conflict(
      `Passage ${other ?? 'of the archive'} says the same, so ${update.id} was left as it was. Delete one of them, or send \`allow_duplicate\`.`,
      { canRetry: false },
    )
  }
}
