import type { NewMessage } from '#store/messages/message-row.ts'
import type { RunRequest } from '#store/runs/run-row.ts'

/** A schedule as shown. Either `scheduled_at` or `cron_expression` is there. */
export interface ScheduleRow {
  id: string
  agent_id: string
  scheduled_at: Date | null
  cron_expression: string | null
  timezone: string
  /** As the client sent it. */
  message: Record<string, unknown>
  /** Null: it is done. */
  next_due_at: Date | null
}

export const SCHEDULE_COLUMNS = [
  'id',
  'agent_id',
  'scheduled_at',
  'cron_expression',
  'timezone',
  'message',
  'next_due_at',
] as const

export interface NewSchedule extends ScheduleRow {
  organization_id: string
  request: RunRequest
  input: NewMessage[]
  callback_url: string | null
  created_by_id: string
  next_due_at: Date
}

/** A schedule whose run this process is to start now. */
export interface DueSchedule {
  organization_id: string
  id: string
  agent_id: string
  cron_expression: string | null
  timezone: string
  request: RunRequest
  input: NewMessage[]
  callback_url: string | null
  created_by_id: string
  next_due_at: Date
}
