import Type from 'typebox'
import { StringEnum } from '#http/wire/nullable.ts'

export const HealthSchema = Type.Object({ version: Type.String(), status: Type.String() })

/** Why a server wants no requests for now. */
export const NotReadySchema = Type.Object({
  detail: Type.String(),
  reason: StringEnum(['stopping', 'database']),
})
