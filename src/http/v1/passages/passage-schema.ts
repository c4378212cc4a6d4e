import Type, { type Static } from 'typebox'
import { AnyObject, Nullable, Timestamp } from '#http/wire/nullable.ts'

/** A passage as sent. Vectors stay in the database: `embedding` and `embedding_config` are null. */
export const PassageSchema = Type.Object({
  created_by_id: Nullable(Type.String()),
  last_updated_by_id: Nullable(Type.String()),
  created_at: Nullable(Timestamp),
  updated_at: Nullable(Timestamp),
  is_deleted: Type.Boolean(),
  archive_id: Nullable(Type.String()),
  source_id: Type.Null(),
  file_id: Type.Null(),
  file_name: Type.Null(),
  metadata: Nullable(AnyObject),
  tags: Nullable(Type.Array(Type.String())),
  id: Type.String(),
  text: Type.String(),
  embedding: Type.Null(),
  embedding_config: Type.Null(),
})
export type PassageWire = Static<typeof PassageSchema>
