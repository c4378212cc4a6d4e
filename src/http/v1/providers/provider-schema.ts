import Type, { type Static } from 'typebox'
import { IdSchema } from '#http/wire/ids.ts'
import { Nullable, StringEnum, Timestamp } from '#http/wire/nullable.ts'
import { PROVIDER_TYPES } from '#llm/provider-types.ts'

export const ProviderId = Type.Object({ provider_id: IdSchema('provider') })

export const ProviderType = StringEnum(PROVIDER_TYPES)

const NullableString = Nullable(Type.String())

/** A provider as sent. Keys are never sent, sealed or not. */
export const ProviderSchema = Type.Object({
  id: Type.String(),
  name: Type.String({ description: 'First part of the handles of its models' }),
  provider_type: Type.String(),
  provider_category: Type.Literal('byok'),
  base_url: NullableString,
  region: NullableString,
  api_version: NullableString,
  api_key: Type.Null({ description: 'Never sent' }),
  access_key: Type.Null(),
  api_key_enc: Type.Null(),
  access_key_enc: Type.Null(),
  updated_at: Nullable(Timestamp),
  last_synced: Nullable(Type.String({ format: 'date-time', description: 'When it last gave the list of its models' })),
})
export type ProviderWire = Static<typeof ProviderSchema>

const Key = Type.String({ minLength: 1, maxLength: 10_000 })
const Text = Type.Optional(Nullable(Type.String({ maxLength: 2_000 })))

const optionalFields = {
  access_key: Type.Optional(Nullable(Type.String({ maxLength: 10_000 }))),
  region: Text,
  base_url: Text,
  api_version: Text,
}

export const CheckProviderSchema = Type.Object({ provider_type: ProviderType, api_key: Key, ...optionalFields })

export const CreateProviderSchema = Type.Object({
  name: Type.String({
    pattern: '^[^/\\s]+$',
    maxLength: 100,
    description: 'First part of the handles of its models, without slash and spaces',
  }),
  provider_type: ProviderType,
  api_key: Key,
  ...optionalFields,
})

/** A field that is left out stays, an explicit null clears it. */
export const UpdateProviderSchema = Type.Object({ api_key: Type.Optional(Key), ...optionalFields })

export const MessageSchema = Type.Object({ message: Type.String() })
