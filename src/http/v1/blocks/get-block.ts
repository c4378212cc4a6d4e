import { notFound } from '#platform/errors.ts'
import { findBlock } from '#store/blocks/block-reader.ts'
import type { BlockRow } from '#store/blocks/block-row.ts'
import type { Queryable } from '#store/db.ts'

/** The block, or not_found thrown. */
export async function getBlock(db: Queryable, organizationId: string, blockId: string): Promise<BlockRow> {
  const row = await findBlock(db, organizationId, blockId)
  if (row === undefined) throw notFound(`Block ${blockId} was not found.`)
  return row
}
