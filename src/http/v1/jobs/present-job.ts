import { presentTime } from '#http/wire/nullable.ts'
import type { JobRow } from '#store/jobs/job-row.ts'
import type { JobWire } from './job-schema.ts'

export function presentJob(row: JobRow): JobWire {
  const durationMs = row.completed_at === null ? null : row.completed_at.getTime() - row.created_at.getTime()
  return {
    id: row.id,
    status: row.status,
    job_type: row.job_type,
    background: row.background,
    agent_id: null,
    created_by_id: row.created_by_id,
    last_updated_by_id: row.created_by_id,
    created_at: presentTime(row.created_at),
    updated_at: presentTime(row.updated_at),
    completed_at: presentTime(row.completed_at),
    stop_reason: row.stop_reason,
    metadata: row.metadata,
    callback_url: row.callback_url,
    callback_sent_at: presentTime(row.callback_sent_at),
    callback_status_code: row.callback_status_code,
    callback_error: row.callback_error,
    ttft_ns: null,
    total_duration_ns: durationMs === null ? null : durationMs * 1_000_000,
  }
}
