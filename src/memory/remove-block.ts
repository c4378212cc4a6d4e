import { notFound } from '#platform/errors.ts'
import { deleteBlock } from '#store/blocks/block-writer.ts'
import type { Queryable } from '#store/db.ts'

/** Deletes a block with its history, and takes it from every agent that has it. Throws not_found. */
export async function removeBlock(db: Queryable, organizationId: string, blockId: string): Promise<void> {
  if (!(await deleteBlock(db, organizationId, blockId))) throw notFound(`Block ${blockId} was not found.`)
}
