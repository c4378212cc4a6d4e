import { type Queryable, statement } from '#store/db.ts'
import type { ClaimedDelivery } from './delivery-row.ts'

/**
 * Takes callbacks that are due, oldest first, each for one process only; of all tenants. Receivers that have enough under way
 * are left out: one that hangs must not hold up the others. An attempt whose process dies is due again when its lease is over.
 */
const claim = statement(
  'claim-deliveries',
  `
with due as (
  select w.organization_id, w.id from webhook_deliveries as w
  where w.state = 'pending' and w.next_attempt_at <= now() and not split_part(w.url, '/', 3) = any($3::text[])
  order by w.next_attempt_at limit $1
  for update skip locked
)
update webhook_deliveries as w set attempt_count = w.attempt_count + 1, last_attempt_at = now(),
  next_attempt_at = now() + $2::integer * interval '1 millisecond'
from due where w.organization_id = due.organization_id and w.id = due.id
returning w.organization_id, w.id, w.run_id, w.batch_id, w.url, w.status, w.completed_at, w.metadata, w.attempt_count, w.attempt_limit`,
)

/** @param busyHosts hosts, with port where the URL has one, as `hostOf` gives them */
export function claimDeliveries(
  db: Queryable,
  limit: number,
  leaseMs: number,
  busyHosts: readonly string[],
): Promise<ClaimedDelivery[]> {
  return db.query<ClaimedDelivery>(claim, [limit, leaseMs, busyHosts])
}

/** The host of a delivery as the statement above reads it. */
export const hostOf = (url: string): string => url.split('/')[2] ?? ''
