import { setTimeout as sleep } from 'node:timers/promises'
import { conflict } from '#platform/errors.ts'

/** Of one write; see `conflictDelayMs` for what they take together. */
export const MAX_CONFLICTS = 40

/**
 * How long a writer waits that has lost to another one for the nth time (0 for the first), in milliseconds: anything up to a bound that doubles
 * each time, so that many writers of one thing spread, and each gets through. Forty of them take 8 s on average.
 */
export const conflictDelayMs = (conflicts: number): number => Math.random() * Math.min(5 * 2 ** conflicts, 500)

/** Does `attempt`, which reads, compares and sets, until it does not give undefined for having lost to another writer. */
export async function retryConflicts<Result>(
  what: string,
  attempt: () => Promise<Result | undefined>,
): Promise<Result> {
  for (let conflicts = 0; conflicts < MAX_CONFLICTS; conflicts += 1) {
    const result = await attempt()
    if (result !== undefined) return result
    await sleep(conflictDelayMs(conflicts))
  }
  throw conflict(`${what} is being changed by many writers at once; try again.`, { retryAfterSeconds: 1 })
}
