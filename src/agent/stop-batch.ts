import { notFound } from '#platform/errors.ts'
import type { RunEngine } from '#runs/run-engine.ts'
import { type BatchKey, cancelBatch, listActiveBatchRuns } from '#store/batches/advance-batch.ts'
import { findBatch } from '#store/batches/batch-reader.ts'
import type { Db } from '#store/db.ts'

/** Cancels what of a batch has not ended; does nothing where all has. Throws not_found. */
export async function stopBatch(db: Db, runs: Pick<RunEngine, 'cancel'>, batch: BatchKey): Promise<void> {
  if (await cancelBatch(db, batch)) await cancelBatchRuns(db, runs, batch)
  else if ((await findBatch(db, batch.organization_id, batch.id)) === undefined) {
    throw notFound(`Batch ${batch.id} was not found.`)
  }
}

/** Cancels the runs of a batch that wait or work; gives how many there were. */
export async function cancelBatchRuns(db: Db, runs: Pick<RunEngine, 'cancel'>, batch: BatchKey): Promise<number> {
  const active = await listActiveBatchRuns(db, batch)
  for (const runId of active) await runs.cancel(batch.organization_id, runId)
  return active.length
}
