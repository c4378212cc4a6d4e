import { notFound } from '#platform/errors.ts'
import { findBatch } from '#store/batches/batch-reader.ts'
import type { BatchRow } from '#store/batches/batch-row.ts'
import type { Queryable } from '#store/db.ts'

/** The batch, or not_found thrown. */
export async function getBatch(db: Queryable, organizationId: string, batchId: string): Promise<BatchRow> {
  const row = await findBatch(db, organizationId, batchId)
  if (row === undefined) throw notFound(`Batch ${batchId} was not found.`)
  return row
}
