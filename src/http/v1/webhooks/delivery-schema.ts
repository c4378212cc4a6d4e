import Type, { type Static } from 'typebox'
import { IdSchema } from '#http/wire/ids.ts'
import { Nullable, StringEnum, Timestamp } from '#http/wire/nullable.ts'

export const DeliveryId = Type.Object({ delivery_id: IdSchema('delivery') })

export const DELIVERY_STATES = ['pending', 'delivered', 'dead'] as const

/** A callback as sent. */
export const DeliverySchema = Type.Object({
  id: Type.String({ description: 'Also the webhook-id header of every attempt' }),
  run_id: Nullable(Type.String()),
  batch_id: Nullable(Type.String()),
  url: Type.String(),
  state: StringEnum(DELIVERY_STATES, { description: 'dead: all attempts failed, or the receiver refused it for good' }),
  attempt_count: Type.Integer(),
  next_attempt_at: Nullable(Timestamp),
  last_attempt_at: Nullable(Timestamp),
  last_status_code: Nullable(Type.Integer()),
  last_error: Nullable(Type.String()),
  created_at: Timestamp,
})
export type DeliveryWire = Static<typeof DeliverySchema>
