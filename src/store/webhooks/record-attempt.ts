import { type Queryable, statement } from '#store/db.ts'
import type { ClaimedDelivery } from './delivery-row.ts'

/** The outcome of one attempt, into the outbox and onto the run or batch. An attempt that was taken over meanwhile says nothing. */
const record = statement(
  'record-delivery-attempt',
  `
with attempted as (
  update webhook_deliveries as w set state = $4, last_status_code = $5, last_error = $6,
    next_attempt_at = now() + $7::bigint * interval '1 millisecond', ended_at = case when $4 = 'pending' then null else now() end
  where w.organization_id = $1 and w.id = $2 and w.attempt_count = $3 and w.state = 'pending'
  returning w.run_id, w.batch_id, w.last_attempt_at
), run as (
  update runs as r set callback_sent_at = attempted.last_attempt_at, callback_status_code = $5, callback_error = $6
  from attempted where r.organization_id = $1 and r.id = attempted.run_id
), batch as (
  update batches as b set callback_sent_at = attempted.last_attempt_at, callback_status_code = $5, callback_error = $6
  from attempted where b.organization_id = $1 and b.id = attempted.batch_id
)
select from attempted`,
)

export interface AttemptOutcome {
  /** `pending`: to be tried again after `retryAfterMs`. */
  state: 'pending' | 'delivered' | 'dead'
  statusCode: number | null
  error: string | null
  retryAfterMs: number
}

export async function recordAttempt(db: Queryable, delivery: ClaimedDelivery, outcome: AttemptOutcome): Promise<void> {
  const { organization_id, id, attempt_count } = delivery
  const { state, statusCode, error, retryAfterMs } = outcome
  await db.query(record, [organization_id, id, attempt_count, state, statusCode, error, Math.round(retryAfterMs)])
}
