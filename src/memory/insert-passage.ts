import { invalidArgument, notFound, unprocessable } from '#platform/errors.ts'
import { newId, newOrderedId } from '#platform/ids.ts'
import { isUniqueViolation } from '#store/database-error.ts'
import type { Queryable } from '#store/db.ts'
import type { PassageRow } from '#store/passages/passage-row.ts'
import { insertAgentPassage } from '#store/passages/passage-writer.ts'

/** V1's limit for one passage. */
const MAX_PASSAGE_TOKENS = 8192
/** The usual estimate for English text. */
const CHARACTERS_PER_TOKEN = 4
/** Longest tag, in characters: tags are keys of an index, whose entries hold 2.7 kB. */
const MAX_TAG_LENGTH = 200

export interface NewPassage {
  text: string
  tags?: readonly string[] | null | undefined
  /** Now when it is not given. */
  createdAt?: Date | null | undefined
}

/**
 * Stores a passage in the archive of an agent; the first one makes the archive. Throws not_found for an unknown agent,
 * invalid_argument for more than 8192 tokens (estimated at four characters each), unprocessable for an empty text.
 */
export async function insertPassage(
  db: Queryable,
  actor: { organizationId: string; userId: string },
  agentId: string,
  passage: NewPassage,
): Promise<PassageRow> {
  const tags = [...new Set(passage.tags ?? [])]
  checkPassage(passage.text, tags)
  const insert = () =>
    insertAgentPassage(db, actor.organizationId, {
      id: newOrderedId('passage'),
      newArchiveId: newId('archive'),
      agentId,
      text: passage.text,
      tags,
      createdAt: passage.createdAt ?? null,
      userId: actor.userId,
    })
  const row = await insert().catch((error: unknown) => {
    // two first passages at the same moment: the other one made the archive
    if (isUniqueViolation(error)) return insert()
    throw error
  })
  if (row === undefined) throw notFound(`Agent ${agentId} was not found.`)
  return row
}

/** Throws what `insertPassage` throws for a text or a tag that cannot be stored. */
export function checkPassage(text: string, tags: readonly string[]): void {
  if (text.trim() === '') throw unprocessable('The text of a passage must not be empty.')
  const tokens = Math.ceil(text.length / CHARACTERS_PER_TOKEN)
  if (tokens > MAX_PASSAGE_TOKENS) {
    throw invalidArgument(
      `INVALID_ARGUMENT: The text has about ${tokens} tokens; a passage holds ${MAX_PASSAGE_TOKENS}. Split it into several passages.`,
    )
  }
  const long = tags.find((tag) => tag.length > MAX_TAG_LENGTH)
  if (long !== undefined) {
    throw unprocessable(
      `The tag \`${long.slice(0, 50)}…\` has ${long.length} characters; use ${MAX_TAG_LENGTH} or fewer.`,
    )
  }
}
