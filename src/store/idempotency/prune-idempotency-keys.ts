import { type Queryable, statement } from '#store/db.ts'

/** Of all tenants, a piece at a time; what another replica is deleting is skipped. */
const prune = statement(
  'prune-idempotency-keys',
  `
with old as (
  select k.organization_id, k.key_hash from idempotency_keys as k
  where k.expires_at < now() order by k.expires_at limit $1
  for update skip locked
)
delete from idempotency_keys as k using old
where k.organization_id = old.organization_id and k.key_hash = old.key_hash returning 1 as pruned`,
)

/** Deletes keys whose time is over; gives how many, `limit` at most. */
export async function pruneIdempotencyKeys(db: Queryable, limit: number): Promise<number> {
  return (await db.query(prune, [limit])).length
}
