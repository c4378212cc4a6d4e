import { presentTime } from '#http/wire/nullable.ts'
import type { RunRow } from '#store/runs/run-reader.ts'
import type { RunWire } from './run-schema.ts'

/** A stored run as the wire shows it; what a failed one died of stands in `metadata.error`, where V1 put it. */
export function presentRun(row: RunRow): RunWire {
  return {
    id: row.id,
    status: row.status,
    created_at: presentTime(row.created_at),
    completed_at: presentTime(row.completed_at),
    agent_id: row.agent_id,
    conversation_id: row.is_in_default_conversation ? null : row.conversation_id,
    base_template_id: null,
    background: row.background,
    metadata: row.error === null ? (row.metadata ?? {}) : { ...row.metadata, error: row.error },
    request_config: row.request.view ?? null,
    stop_reason: row.stop_reason,
    callback_url: row.callback_url,
    callback_sent_at: presentTime(row.callback_sent_at),
    callback_status_code: row.callback_status_code,
    callback_error: row.callback_error,
    ttft_ns: row.ttft_ns,
    total_duration_ns: row.total_duration_ns,
  }
}
