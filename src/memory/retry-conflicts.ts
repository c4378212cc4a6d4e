import { setTimeout as sleep } from 'node:timers/promises'
import { conflict } from '#platform/errors.ts'

/** Attempts of one write that has to read anew whenever another writer was faster; with the waits between them some 8 s. */
export const MAX_CONFLICTS = 40
const FIRST_WAIT_MS = 5
const LONGEST_WAIT_MS = 500

/**
 * Waits after a write that lost to another writer for the nth time (0 for the first): anything up to a bound that doubles each time, so that
 * many writers of one thing spread, and each of them gets through. Ends early when the signal is aborted.
 */
export async function waitAfterConflict(conflicts: number, signal?: AbortSignal): Promise<void> {
  const waitMs = Math.random() * Math.min(FIRST_WAIT_MS * 2 ** conflicts, LONGEST_WAIT_MS)
  await sleep(waitMs, undefined, signal && { signal }).catch(() => {})
}

/** Does `attempt`, which reads, compares and sets, until it does not give undefined for having lost. `what` begins the error. */
export async function retryConflicts<Result>(
  what: string,
  attempt: () => Promise<Result | undefined>,
): Promise<Result> {
  for (let conflicts = 0; conflicts < MAX_CONFLICTS; conflicts += 1) {
    const result = await attempt()
    if (result !== undefined) return result
    await waitAfterConflict(conflicts)
  }
  throw conflict(`${what} is being changed by many writers at once; try again.`, { retryAfterSeconds: 1 })
}
