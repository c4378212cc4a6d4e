import { newId } from '#platform/ids.ts'
import type { Author } from '#store/author.ts'
import type { BlockRow } from '#store/blocks/block-row.ts'
import { insertBlocks } from '#store/blocks/block-writer.ts'
import type { Queryable } from '#store/db.ts'
import { type NewBlockInput, normalizeNewBlock } from './block-rules.ts'

/** Stores a new block with its first version. Throws unprocessable when it breaks the rules of `block-rules.ts`. */
export async function createBlock(
  db: Queryable,
  organizationId: string,
  input: NewBlockInput,
  author: Author,
): Promise<BlockRow> {
  const [row] = await insertBlocks(db, organizationId, [{ id: newId('block'), ...normalizeNewBlock(input) }], author)
  if (row === undefined) throw new Error('insert-blocks returned no row')
  return row
}
