import { presentTime } from '#http/wire/nullable.ts'
import type { DeliveryRow } from '#store/webhooks/delivery-row.ts'
import type { DeliveryWire } from './delivery-schema.ts'

export function presentDelivery(row: DeliveryRow): DeliveryWire {
  return {
    id: row.id,
    run_id: row.run_id,
    batch_id: row.batch_id,
    url: row.url,
    state: row.state,
    attempt_count: row.attempt_count,
    next_attempt_at: row.state === 'pending' ? presentTime(row.next_attempt_at) : null,
    last_attempt_at: presentTime(row.last_attempt_at),
    last_status_code: row.last_status_code,
    last_error: row.last_error,
    created_at: presentTime(row.created_at),
  }
}
