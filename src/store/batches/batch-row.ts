import type { NewMessage } from '#store/messages/message-row.ts'
import type { RunRequest, StopReason } from '#store/runs/run-row.ts'

export type BatchStatus = 'running' | 'completed' | 'failed' | 'cancelled'

/** A batch as shown. */
export interface BatchRow {
  id: string
  status: BatchStatus
  stop_reason: StopReason | null
  item_count: number
  metadata: Record<string, unknown> | null
  callback_url: string | null
  callback_sent_at: Date | null
  callback_status_code: number | null
  callback_error: string | null
  created_by_id: string
  created_at: Date
  updated_at: Date
  completed_at: Date | null
}

export const BATCH_COLUMNS = [
  'id',
  'status',
  'stop_reason',
  'item_count',
  'metadata',
  'callback_url',
  'callback_sent_at',
  'callback_status_code',
  'callback_error',
  'created_by_id',
  'created_at',
  'updated_at',
  'completed_at',
] as const

/** One request of a batch: a run that is to be started. */
export interface BatchItem {
  position: number
  agent_id: string
  run_id: string
  request: RunRequest
  input: NewMessage[]
}

/** A batch that this process is to go on with now. */
export interface ClaimedBatch {
  organization_id: string
  id: string
  status: BatchStatus
  created_by_id: string
}
