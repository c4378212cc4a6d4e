import Type, { type Static } from 'typebox'
import { CallbackUrl, InputMessage } from '#http/v1/agents/messages/message-request-schema.ts'
import { IdSchema } from '#http/wire/ids.ts'
import { MESSAGE_TYPES } from '#http/wire/message-schema.ts'
import { AnyObject, Nullable, StringEnum, Timestamp } from '#http/wire/nullable.ts'

export const ScheduleId = Type.Object({ agent_id: IdSchema('agent'), scheduled_message_id: IdSchema('schedule') })

/** The end of the year 9999, the last that ISO 8601 writes with four digits. */
const LAST_MOMENT_MS = 253_402_300_799_000

const OneTime = Type.Object({
  type: Type.Optional(Type.Literal('one-time')),
  scheduled_at: Type.Number({
    minimum: 0,
    maximum: LAST_MOMENT_MS,
    description: 'Milliseconds since the epoch; what has passed is sent at once',
  }),
})
const Recurring = Type.Object({
  type: Type.Literal('recurring'),
  cron_expression: Type.String({ description: 'Five fields, such as "0 9 * * 1-5"' }),
  timezone: Type.Optional(
    Type.String({ description: 'Of the IANA database, such as Europe/Berlin; UTC by default. Not in V1' }),
  ),
})
const Times = Type.Union([OneTime, Recurring])
export type ScheduleTimes = Static<typeof Times>

export const ScheduleRequest = Type.Object({
  messages: Type.Array(InputMessage, { minItems: 1 }),
  schedule: Times,
  callback_url: Type.Optional(Nullable(CallbackUrl)),
  include_return_message_types: Type.Optional(Nullable(Type.Array(StringEnum(MESSAGE_TYPES)))),
  max_steps: Type.Optional(Nullable(Type.Integer({ minimum: 1 }))),
})

/** A schedule as sent. */
export const ScheduleSchema = Type.Object({
  id: Type.String(),
  agent_id: Type.String(),
  message: AnyObject,
  next_scheduled_time: Nullable(Timestamp),
  schedule: Times,
})
export type ScheduleWire = Static<typeof ScheduleSchema>
