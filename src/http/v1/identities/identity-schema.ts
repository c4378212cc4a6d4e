import Type, { type Static } from 'typebox'
import { IdSchema } from '#http/wire/ids.ts'
import { AnyObject, Nullable, StringEnum } from '#http/wire/nullable.ts'

export const IdentityId = Type.Object({ identity_id: IdSchema('identity') })

export const IdentityTypeSchema = StringEnum(['org', 'user', 'other'])

export const PropertySchema = Type.Object({
  key: Type.String({ minLength: 1, maxLength: 200 }),
  value: Type.Union([Type.String(), Type.Number(), Type.Boolean(), AnyObject]),
  type: StringEnum(['string', 'number', 'boolean', 'json']),
})

export const IdentitySchema = Type.Object({
  id: Type.String(),
  identifier_key: Type.String(),
  name: Type.String(),
  identity_type: IdentityTypeSchema,
  project_id: Nullable(Type.String()),
  agent_ids: Type.Array(Type.String()),
  block_ids: Type.Array(Type.String()),
  properties: Type.Array(PropertySchema),
})
export type IdentityWire = Static<typeof IdentitySchema>

const optional = <Schema extends Type.TSchema>(schema: Schema) => Type.Optional(Nullable(schema))

const Key = Type.String({ minLength: 1, maxLength: 500, description: "The client's own name for it" })
const Name = Type.String({ maxLength: 500 })
const relations = {
  agent_ids: optional(Type.Array(IdSchema('agent'))),
  block_ids: optional(Type.Array(IdSchema('block'))),
  properties: optional(Type.Array(PropertySchema)),
}

export const CreateIdentitySchema = Type.Object({
  identifier_key: Key,
  name: Name,
  identity_type: IdentityTypeSchema,
  project_id: optional(Type.String()),
  ...relations,
})

export const UpdateIdentitySchema = Type.Object({
  identifier_key: optional(Key),
  name: optional(Name),
  identity_type: optional(IdentityTypeSchema),
  ...relations,
})
