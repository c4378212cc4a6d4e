import { cancelBatchRuns } from '#agent/stop-batch.ts'
import { errorMessage } from '#platform/errors.ts'
import type { Logger } from '#platform/logger.ts'
import type { RunEngine } from '#runs/run-engine.ts'
import type { RunEvent } from '#runs/run-events.ts'
import { finishBatch, listNextBatchItems, markBatchItem, settleBatchItems } from '#store/batches/advance-batch.ts'
import type { BatchItem, ClaimedBatch } from '#store/batches/batch-row.ts'
import { claimBatches, releaseBatch } from '#store/batches/claim-batches.ts'
import type { Db } from '#store/db.ts'
import { startRunOnce } from './start-run-once.ts'
import { Ticker } from './ticker.ts'

const TICK_MS = 1_000
const CLAIM_SIZE = 16
/** To go on with a batch; then another process may. */
const CLAIM_MS = 5_000

export interface BatchAdvancerOptions {
  db: Db
  logger: Logger
  runs: Pick<RunEngine, 'start' | 'cancel'>
  /** Runs of one batch that wait or work at once. */
  maxRuns: number
}

/**
 * Starts the runs of batches, a few at a time, from every replica. Where a batch stands is in the database, and the id of each run
 * was chosen with the batch: whoever goes on where a process died starts nothing twice.
 */
export class BatchAdvancer implements AsyncDisposable {
  readonly #options: BatchAdvancerOptions
  readonly #ticker: Ticker

  constructor(options: BatchAdvancerOptions) {
    this.#options = options
    const work = () => this.advanceAll()
    this.#ticker = new Ticker({ logger: options.logger, name: 'going on with batches', everyMs: TICK_MS, work })
  }

  start(): void {
    this.#ticker.start()
  }

  /** Goes on with every batch that no other process is going on with. */
  async advanceAll(): Promise<void> {
    const { db, logger } = this.#options
    let claimed: ClaimedBatch[]
    do {
      claimed = await claimBatches(db, CLAIM_SIZE, CLAIM_MS)
      await Promise.all(
        claimed.map(async (batch) => {
          try {
            await this.#advance(batch)
          } catch (error) {
            logger.warn({ batch_id: batch.id, error: errorMessage(error) }, 'batch not gone on with; tried again soon')
          }
        }),
      )
    } while (claimed.length === CLAIM_SIZE)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#ticker[Symbol.asyncDispose]()
  }

  async #advance(batch: ClaimedBatch): Promise<void> {
    const { db, logger, maxRuns, runs } = this.#options
    await settleBatchItems(db, batch)
    if (batch.status === 'cancelled') {
      const isStopping = (await cancelBatchRuns(db, runs, batch)) > 0
      if (isStopping) return releaseBatch(db, batch, TICK_MS)
    }
    // one after the other: several messages to one agent are answered in their order
    for (const item of await listNextBatchItems(db, batch, maxRuns)) {
      if (!(await this.#start(batch, item))) break
    }
    const status = await finishBatch(db, batch)
    if (status === undefined) await releaseBatch(db, batch, 0)
    else logger.info({ batch_id: batch.id, status }, 'batch ended')
  }

  /** False where the batch was cancelled meanwhile. */
  async #start(batch: ClaimedBatch, item: BatchItem): Promise<boolean> {
    const { db, runs } = this.#options
    const run = {
      organizationId: batch.organization_id,
      thread: { agentId: item.agent_id },
      runId: item.run_id,
      request: item.request,
      input: item.input,
      background: true,
      userId: batch.created_by_id,
      metadata: { run_type: 'send_batch_message', batch_id: batch.id },
      callbackUrl: null,
    }
    const hasStarted = await startRunOnce(runs, run, this.#onEvent)
    const wasWaiting = await markBatchItem(db, batch, item.position, hasStarted ? 'started' : 'failed')
    if (!wasWaiting && hasStarted) await runs.cancel(batch.organization_id, item.run_id)
    return wasWaiting
  }

  /** When a run ends there is room for the next: no need to wait for the tick. */
  readonly #onEvent = (event: RunEvent): void => {
    if (event.type === 'run-end') this.#ticker.wake()
  }
}
