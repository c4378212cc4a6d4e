import Type from 'typebox'
import { ErrorBody } from '#http/wire/errors.ts'
import { StringEnum } from '#http/wire/nullable.ts'

export const HealthSchema = Type.Object({ version: Type.String(), status: Type.String() })

export const ReadySchema = Type.Object({
  version: Type.String(),
  status: Type.String(),
  redis: Type.Optional(
    StringEnum(['ok', 'away'], {
      description: 'Where one is configured. Without it everything works, streams a little later.',
    }),
  ),
})

/** Why a server wants no requests for now. */
export const NotReadySchema = Type.Object({
  ...ErrorBody.properties,
  reason: StringEnum(['stopping', 'database']),
})
