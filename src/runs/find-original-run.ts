import { conflict, DomainError, unprocessable } from '#platform/errors.ts'
import { isUniqueViolation } from '#store/database-error.ts'
import type { Queryable } from '#store/db.ts'
import { deleteRunKeys, findRunKeys } from '#store/idempotency/run-key.ts'
import { findThreadOwner } from '#store/runs/find-thread-owner.ts'
import type { NewRun } from '#store/runs/start-run.ts'

/** True for what start-run throws when a key of the run leads to another one. */
export const isKeyTaken = (error: unknown): boolean =>
  isUniqueViolation(error) && (error as { constraint?: unknown }).constraint === 'idempotency_keys_pkey'

/**
 * Why a run was not accepted: a key of it leads to `original` · there is `no-thread` · `nothing`: what was in the way is gone,
 * try again. Throws unprocessable (the key was used for another request), gone (its run was deleted), or conflict (the thread
 * is busy and the run is not to wait).
 */
export async function findObstacle(
  db: Queryable,
  run: NewRun,
  wasKeyTaken: boolean,
): Promise<{ original: string } | 'no-thread' | 'nothing'> {
  const original = await findOriginalRun(db, run, wasKeyTaken)
  if (original !== undefined) return { original }
  if (wasKeyTaken) return 'nothing'
  if (run.onBusy !== 'reject') return 'no-thread'
  const owner = await findThreadOwner(db, run.organizationId, run.thread)
  if (owner === 'no-thread') return owner
  if (owner === 'nobody') return 'nothing'
  throw conflict(
    'CONFLICT: Cannot send a new message: another request is being processed in this conversation. Wait for its run, cancel it, or send on_busy: "queue" or "interrupt".',
    { extra: { run_id: owner }, canRetry: false },
  )
}

async function findOriginalRun(db: Queryable, run: NewRun, wasKeyTaken: boolean): Promise<string | undefined> {
  const keys = new Map(run.keys?.map((key) => [key.hash, key]))
  if (keys.size === 0) return undefined
  const found = await findRunKeys(db, run.organizationId, [...keys.keys()])
  const valid = found.filter((row) => !row.is_expired)
  // an explicit key first
  valid.sort((one, other) => Number(one.fingerprint === null) - Number(other.fingerprint === null))
  for (const row of valid) {
    const wanted = keys.get(row.key_hash)?.fingerprint ?? null
    if (row.fingerprint !== null && row.fingerprint !== wanted) {
      throw unprocessable(
        'This Idempotency-Key was used with another request body. Send a new key with a new request, and the same body with the same key.',
      )
    }
  }
  const [original] = valid
  if (original === undefined) {
    if (wasKeyTaken) await deleteRunKeys(db, run.organizationId, found)
    return undefined
  }
  if (original.status !== null) return original.run_id
  // with its agent, where the key is not in the way: that is told by the thread
  if (!wasKeyTaken) return undefined
  throw new DomainError('gone', `The run ${original.run_id} that this request has started was deleted.`)
}
