import Type, { type Static } from 'typebox'
import { EmbeddingConfigSchema } from '#http/v1/agents/agent-schema.ts'
import { AllowDuplicate } from '#http/v1/passages/passage-schema.ts'
import { IdSchema } from '#http/wire/ids.ts'
import { AnyObject, Nullable, StringEnum, Timestamp } from '#http/wire/nullable.ts'

export const ArchiveId = Type.Object({ archive_id: IdSchema('archive') })

/** An archive as sent. */
export const ArchiveSchema = Type.Object({
  created_by_id: Nullable(Type.String()),
  last_updated_by_id: Nullable(Type.String()),
  created_at: Timestamp,
  updated_at: Nullable(Timestamp),
  name: Type.String(),
  description: Nullable(Type.String()),
  vector_db_provider: StringEnum(['native', 'tpuf', 'pinecone']),
  embedding_config: Nullable(EmbeddingConfigSchema),
  metadata: Nullable(AnyObject),
  id: Type.String(),
})
export type ArchiveWire = Static<typeof ArchiveSchema>

/** A passage as a client sends it for an archive. */
export const NewPassageSchema = Type.Object({
  text: Type.String(),
  metadata: Type.Optional(Nullable(AnyObject)),
  tags: Type.Optional(Nullable(Type.Array(Type.String()))),
  created_at: Type.Optional(Nullable(Type.String({ description: 'ISO 8601; now by default' }))),
  allow_duplicate: AllowDuplicate,
})
