import { type Queryable, statement } from '#store/db.ts'

/** A callback that is still being tried is left alone: it would be posted twice at once. */
const retry = statement(
  'retry-delivery',
  `
update webhook_deliveries as w set state = 'pending', attempt_limit = w.attempt_count + $3, next_attempt_at = now(), ended_at = null
where w.organization_id = $1 and w.id = $2 and w.state <> 'pending' returning w.id`,
)

/** Makes a dead or delivered callback due now, with as many attempts as a new one; false where it is pending or unknown. */
export async function retryDelivery(
  db: Queryable,
  organizationId: string,
  deliveryId: string,
  attempts: number,
): Promise<boolean> {
  return (await db.query(retry, [organizationId, deliveryId, attempts])).length > 0
}
