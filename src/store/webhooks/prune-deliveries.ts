import { type Queryable, statement } from '#store/db.ts'

/** Of all tenants, a piece at a time. */
const prune = statement(
  'prune-deliveries',
  `
with old as (
  select w.organization_id, w.id from webhook_deliveries as w
  where w.state in ('delivered', 'dead') and w.ended_at < now() - $1::bigint * interval '1 millisecond'
  order by w.ended_at limit $2
  for update skip locked
)
delete from webhook_deliveries as w using old where w.organization_id = old.organization_id and w.id = old.id returning w.id`,
)

/** Deletes callbacks that were delivered or given up longer ago than that; gives how many, `limit` at most. */
export async function pruneDeliveries(db: Queryable, keptMs: number, limit: number): Promise<number> {
  return (await db.query(prune, [keptMs, limit])).length
}
