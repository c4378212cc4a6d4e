import Type, { type Static } from 'typebox'
import { Nullable, Timestamp } from '#http/wire/nullable.ts'
import { AuthorSchema, versionParameter } from '#http/wire/versions.ts'
import { BlockId } from './block-schema.ts'

export const BlockVersionId = Type.Object({ ...BlockId.properties, ...versionParameter })

/** A version of a block without its value. */
export const BlockVersionSchema = Type.Object({
  block_id: Type.String(),
  version: Type.Integer(),
  label: Type.String(),
  description: Nullable(Type.String()),
  size_bytes: Type.Integer({ description: 'Of the value, in UTF-8' }),
  author: AuthorSchema,
  created_at: Timestamp,
})
export type BlockVersionWire = Static<typeof BlockVersionSchema>
