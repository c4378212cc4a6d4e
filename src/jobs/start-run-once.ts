import type { RunEngine } from '#runs/run-engine.ts'
import type { RunListener } from '#runs/run-events.ts'
import { isUniqueViolation } from '#store/database-error.ts'
import type { NewRun } from '#store/runs/start-run.ts'

/**
 * Starts a run whose id was decided before: when it is there already, whoever began this work has died or lost the answer after
 * the start, and the work is done. False where the thread is gone.
 */
export async function startRunOnce(
  runs: Pick<RunEngine, 'start'>,
  run: NewRun,
  listener?: RunListener,
): Promise<boolean> {
  try {
    return (await runs.start(run, listener)) !== undefined
  } catch (error) {
    if (isUniqueViolation(error)) return true
    throw error
  }
}
