import { type Queryable, statement } from '#store/db.ts'
import type { ClaimedBatch } from './batch-row.ts'

/** Takes batches that have not ended, those first that were looked at longest ago, each for one process only; of all tenants. */
const claim = statement(
  'claim-batches',
  `
with open as (
  select b.organization_id, b.id from batches as b
  where b.completed_at is null and b.claimed_until <= now()
  order by b.claimed_until limit $1
  for update skip locked
)
update batches as b set claimed_until = now() + $2::integer * interval '1 millisecond'
from open where b.organization_id = open.organization_id and b.id = open.id
returning b.organization_id, b.id, b.status, b.created_by_id`,
)

const release = statement(
  'release-batch',
  `
update batches as b set claimed_until = now() + $3::integer * interval '1 millisecond'
where b.organization_id = $1 and b.id = $2 and b.completed_at is null`,
)

export function claimBatches(db: Queryable, limit: number, leaseMs: number): Promise<ClaimedBatch[]> {
  return db.query<ClaimedBatch>(claim, [limit, leaseMs])
}

/** Leaves a batch to whoever comes first after `pauseMs`. */
export async function releaseBatch(db: Queryable, batch: ClaimedBatch, pauseMs: number): Promise<void> {
  await db.query(release, [batch.organization_id, batch.id, pauseMs])
}
