import Type, { type Static } from 'typebox'
import { AnyObject, Timestamp } from '#http/wire/nullable.ts'
import { AuthorSchema, versionParameter } from '#http/wire/versions.ts'
import { PassageId } from './passage-schema.ts'

export const PassageVersionId = Type.Object({ ...PassageId.properties, ...versionParameter })

/** A version of a passage without its text. */
export const PassageVersionSchema = Type.Object({
  passage_id: Type.String(),
  version: Type.Integer(),
  tags: Type.Array(Type.String()),
  metadata: AnyObject,
  size_bytes: Type.Integer({ description: 'Of the text, in UTF-8' }),
  author: AuthorSchema,
  created_at: Timestamp,
})
export type PassageVersionWire = Static<typeof PassageVersionSchema>
