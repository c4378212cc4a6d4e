export type DeliveryState = 'pending' | 'delivered' | 'dead'

/** A callback in the outbox, as shown. */
export interface DeliveryRow {
  id: string
  run_id: string | null
  batch_id: string | null
  url: string
  state: DeliveryState
  attempt_count: number
  attempt_limit: number
  next_attempt_at: Date
  last_attempt_at: Date | null
  last_status_code: number | null
  last_error: string | null
  created_at: Date
}

export const DELIVERY_COLUMNS = [
  'id',
  'run_id',
  'batch_id',
  'url',
  'state',
  'attempt_count',
  'attempt_limit',
  'next_attempt_at',
  'last_attempt_at',
  'last_status_code',
  'last_error',
  'created_at',
] as const

/** A callback that this process is to post now. */
export interface ClaimedDelivery {
  organization_id: string
  id: string
  run_id: string | null
  batch_id: string | null
  url: string
  status: string
  completed_at: Date
  metadata: Record<string, unknown> | null
  /** The number of this attempt, from 1; the fence of its outcome. */
  attempt_count: number
  attempt_limit: number
}
