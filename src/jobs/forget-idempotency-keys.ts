import type { Logger } from '#platform/logger.ts'
import type { Db } from '#store/db.ts'
import { pruneIdempotencyKeys } from '#store/idempotency/prune-idempotency-keys.ts'
import { Ticker } from './ticker.ts'

const EVERY_MS = 10 * 60_000
const PRUNE_SIZE = 1000

/** Deletes idempotency keys whose time is over: they have no effect any more, only rows. */
export function forgetIdempotencyKeys(db: Db, logger: Logger): Ticker {
  const work = async () => {
    while ((await pruneIdempotencyKeys(db, PRUNE_SIZE)) === PRUNE_SIZE);
  }
  return new Ticker({ logger, name: 'deleting old idempotency keys', everyMs: EVERY_MS, work })
}
