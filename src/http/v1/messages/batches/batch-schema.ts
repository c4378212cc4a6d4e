import Type, { type Static } from 'typebox'
import { CallbackUrl, requestFields } from '#http/v1/agents/messages/message-request-schema.ts'
import { STOP_REASONS } from '#http/v1/runs/run-schema.ts'
import { IdSchema } from '#http/wire/ids.ts'
import { AnyObject, Nullable, StringEnum, Timestamp } from '#http/wire/nullable.ts'

export const BatchId = Type.Object({ batch_id: IdSchema('job') })

const MAX_REQUESTS = 10_000

export const BatchRequest = Type.Object({
  requests: Type.Array(Type.Object({ ...requestFields, agent_id: IdSchema('agent') }), {
    minItems: 1,
    maxItems: MAX_REQUESTS,
  }),
  callback_url: Type.Optional(Nullable(CallbackUrl)),
})

/** A batch as sent: V1's job. */
export const BatchSchema = Type.Object({
  id: Type.String(),
  status: StringEnum(['running', 'completed', 'failed', 'cancelled'], {
    description: 'completed: everything has ended and at least one run completed; failed: none did',
  }),
  job_type: Type.Literal('batch'),
  background: Type.Boolean(),
  agent_id: Type.Null(),
  created_by_id: Nullable(Type.String()),
  last_updated_by_id: Nullable(Type.String()),
  created_at: Timestamp,
  updated_at: Timestamp,
  completed_at: Nullable(Timestamp),
  stop_reason: Nullable(StringEnum(STOP_REASONS)),
  metadata: AnyObject,
  callback_url: Nullable(Type.String()),
  callback_sent_at: Nullable(Timestamp),
  callback_status_code: Nullable(Type.Integer()),
  callback_error: Nullable(Type.String()),
  ttft_ns: Type.Null(),
  total_duration_ns: Nullable(Type.Integer()),
})
export type BatchWire = Static<typeof BatchSchema>
