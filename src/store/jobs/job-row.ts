import type { StopReason } from '#store/runs/run-row.ts'

/** An upload or a batch, as the view `all_jobs` has them. */
export interface JobRow {
  id: string
  job_type: 'job' | 'batch'
  status: 'running' | 'completed' | 'failed' | 'cancelled'
  stop_reason: StopReason | null
  /** Of an upload. */
  folder_id: string | null
  background: boolean
  metadata: Record<string, unknown>
  callback_url: string | null
  callback_sent_at: Date | null
  callback_status_code: number | null
  callback_error: string | null
  created_by_id: string | null
  created_at: Date
  updated_at: Date
  completed_at: Date | null
}

const COLUMN_NAMES = [
  'id',
  'job_type',
  'status',
  'stop_reason',
  'folder_id',
  'background',
  'metadata',
  'callback_url',
  'callback_sent_at',
  'callback_status_code',
  'callback_error',
  'created_by_id',
  'created_at',
  'updated_at',
  'completed_at',
] as const satisfies (keyof JobRow)[]

export const jobColumns = (alias: string): string => COLUMN_NAMES.map((name) => `${alias}.${name}`).join(', ')
