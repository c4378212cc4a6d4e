import { notFound } from '#platform/errors.ts'
import type { Queryable } from '#store/db.ts'
import { findDelivery } from '#store/webhooks/delivery-reader.ts'
import type { DeliveryRow } from '#store/webhooks/delivery-row.ts'

/** The callback, or not_found thrown. */
export async function getDelivery(db: Queryable, organizationId: string, deliveryId: string): Promise<DeliveryRow> {
  const row = await findDelivery(db, organizationId, deliveryId)
  if (row === undefined) throw notFound(`Delivery ${deliveryId} was not found.`)
  return row
}
