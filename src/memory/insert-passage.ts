import { invalidArgument, notFound, unprocessable } from '#platform/errors.ts'
import { newId, newOrderedId } from '#platform/ids.ts'
import { isUniqueViolation } from '#store/database-error.ts'
import type { Queryable } from '#store/db.ts'
import { insertAgentPassage, type WrittenPassageRow } from '#store/passages/passage-writer.ts'
import { factKey } from './fact-key.ts'

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
  /** Stored even where the archive has a passage that says the same. */
  allowDuplicate?: boolean | null | undefined
}

/** Who stores it, and by which tool. */
export interface PassageActor {
  organizationId: string
  userId: string
  toolName?: string | undefined
}

/**
 * Stores a passage in the archive of an agent; the first one makes the archive. Where the archive has one that says the same (`factKey`),
 * gives that one back, with the tags of both. Throws not_found for an unknown agent, invalid_argument for more than 8192 tokens (estimated
 * at four characters each), unprocessable for an empty text.
 */
export async function insertPassage(
  db: Queryable,
  actor: PassageActor,
  agentId: string,
  passage: NewPassage,
): Promise<WrittenPassageRow> {
  const tags = [...new Set(passage.tags ?? [])]
  checkPassage(passage.text, tags)
  const toInsert = {
    id: newOrderedId('passage'),
    newArchiveId: newId('archive'),
    agentId,
    text: passage.text,
    factKey: passage.allowDuplicate === true ? null : factKey(passage.text),
    tags,
    createdAt: passage.createdAt ?? null,
  }
  const author = { type: 'user', userId: actor.userId, toolName: actor.toolName } as const
  const insert = () => insertAgentPassage(db, actor.organizationId, toInsert, author)
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
