import { type Queryable, statement } from '#store/db.ts'

/**
 * Of all tenants, a piece at a time; what another replica is deleting is skipped. By the place of the rows, which are locked:
 * a join with the table would read all of it where the planner thinks that much is deleted.
 */
const prune = statement(
  'prune-idempotency-keys',
  `
delete from idempotency_keys as k where k.ctid = any(array(
  select o.ctid from idempotency_keys as o where o.expires_at < now() order by o.expires_at limit $1
  for update skip locked))
returning 1 as pruned`,
)

/** Deletes keys whose time is over; gives how many, `limit` at most. */
export async function pruneIdempotencyKeys(db: Queryable, limit: number): Promise<number> {
  return (await db.query(prune, [limit])).length
}
