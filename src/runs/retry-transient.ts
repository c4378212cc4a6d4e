import { setTimeout as sleep } from 'node:timers/promises'
import { errorMessage } from '#platform/errors.ts'
import type { Logger } from '#platform/logger.ts'
import { isTransient } from '#store/database-error.ts'

/** Pauses between attempts while the database does not answer. */
const PAUSES_MS = [50, 200, 500, 1000]

/**
 * Repeats a statement while the database is away, so that what a model has said already is not lost and not paid twice.
 * An attempt whose answer got lost may have been committed: the operation is told that it is repeated and must cope.
 * Gives up, with the last error, once the signal says that the run is not ours any more.
 * @param options.logger its lines name the run
 */
export async function retryTransient<Result>(
  options: { signal: AbortSignal; logger: Logger },
  operation: (isRepeated: boolean) => Promise<Result>,
): Promise<Result> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await operation(attempt > 0)
    } catch (error) {
      if (!isTransient(error) || isGivenUp(options.signal)) throw error
      if (attempt === 0) options.logger.warn({ error: errorMessage(error) }, 'database away, run waits')
      await sleep(PAUSES_MS[Math.min(attempt, PAUSES_MS.length - 1)])
    }
  }
}

/** True when this process must stop working on a run without ending it; a cancelled run is ended by its worker. */
export const isGivenUp = (signal: AbortSignal): boolean => signal.aborted && signal.reason !== 'cancelled'
