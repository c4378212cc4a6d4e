import Type, { type Static } from 'typebox'
import { STOP_REASONS } from '#http/v1/runs/run-schema.ts'
import { IdSchema } from '#http/wire/ids.ts'
import { AnyObject, Nullable, StringEnum, Timestamp } from '#http/wire/nullable.ts'

export const JobId = Type.Object({ job_id: IdSchema('job') })

/** A job as sent: an upload of a file, which is done when it is seen, or a batch of messages. */
export const JobSchema = Type.Object({
  id: Type.String(),
  status: StringEnum(['running', 'completed', 'failed', 'cancelled']),
  job_type: StringEnum(['job', 'batch']),
  background: Nullable(Type.Boolean()),
  agent_id: Type.Null(),
  created_by_id: Nullable(Type.String()),
  last_updated_by_id: Nullable(Type.String()),
  created_at: Timestamp,
  updated_at: Nullable(Timestamp),
  completed_at: Nullable(Timestamp),
  stop_reason: Nullable(StringEnum(STOP_REASONS)),
  metadata: Nullable(AnyObject),
  callback_url: Nullable(Type.String()),
  callback_sent_at: Nullable(Timestamp),
  callback_status_code: Nullable(Type.Integer()),
  callback_error: Nullable(Type.String()),
  ttft_ns: Type.Null(),
  total_duration_ns: Nullable(Type.Integer()),
})
export type JobWire = Static<typeof JobSchema>
