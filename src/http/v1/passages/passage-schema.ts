import Type, { type Static } from 'typebox'
import { IdSchema } from '#http/wire/ids.ts'
import { AnyObject, Nullable, StringEnum, Timestamp } from '#http/wire/nullable.ts'

export const PassageId = Type.Object({ passage_id: IdSchema('passage') })

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

/** A passage by itself. */
export const EmbeddedPassageSchema = Type.Object({
  ...PassageSchema.properties,
  embedding_state: Type.Object({
    status: StringEnum(['embedded', 'queued', 'failed', 'none'], {
      description: 'Whether it can be found by its meaning; by its words it can in any case',
    }),
    model: Nullable(Type.String({ description: 'Of the vector that it has' })),
    error: Nullable(Type.String({ description: 'Why it waits' })),
  }),
})

/** The answer to a write. */
export const WrittenPassageSchema = Type.Object({
  ...PassageSchema.properties,
  is_duplicate: Type.Optional(
    Type.Literal(true, {
      description:
        'Only where the archive had a passage that says the same: nothing was stored, and this is that one, with the tags of both',
    }),
  ),
})
export type WrittenPassageWire = Static<typeof WrittenPassageSchema>

export const AllowDuplicate = Type.Optional(
  Nullable(Type.Boolean({ description: 'Store it even where the archive has a passage that says the same' })),
)
