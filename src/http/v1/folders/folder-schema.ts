import Type, { type Static } from 'typebox'
import { EmbeddingConfigSchema } from '#http/v1/agents/agent-schema.ts'
import { AnyObject, Nullable, StringEnum, Timestamp } from '#http/wire/nullable.ts'

/** A folder as sent. */
export const FolderSchema = Type.Object({
  name: Type.String(),
  description: Nullable(Type.String()),
  instructions: Nullable(Type.String({ description: 'For agents: how to use the files' })),
  metadata: Nullable(AnyObject),
  id: Type.String(),
  embedding_config: Nullable(EmbeddingConfigSchema),
  created_by_id: Nullable(Type.String()),
  last_updated_by_id: Nullable(Type.String()),
  created_at: Nullable(Timestamp),
  updated_at: Nullable(Timestamp),
})
export type FolderWire = Static<typeof FolderSchema>

/** A folder under its older name, and everywhere among what an agent has. */
export const SourceSchema = Type.Object({
  ...FolderSchema.properties,
  vector_db_provider: StringEnum(['native', 'tpuf', 'pinecone']),
})
export type SourceWire = Static<typeof SourceSchema>

const optionalFields = {
  description: Type.Optional(Nullable(Type.String())),
  instructions: Type.Optional(Nullable(Type.String({ description: 'For agents: how to use the files' }))),
  metadata: Type.Optional(Nullable(AnyObject)),
  embedding_config: Type.Optional(Nullable(AnyObject)),
}

export const CreateFolderSchema = Type.Object({
  name: Type.String(),
  ...optionalFields,
  embedding: Type.Optional(Nullable(Type.String({ description: 'Handle provider/model' }))),
  embedding_chunk_size: Type.Optional(Nullable(Type.Integer())),
})

export const UpdateFolderSchema = Type.Object({ name: Type.Optional(Nullable(Type.String())), ...optionalFields })

/** A file as sent. */
export const FileSchema = Type.Object({
  source_id: Type.String(),
  file_name: Nullable(Type.String()),
  original_file_name: Nullable(Type.String()),
  file_path: Type.Null(),
  file_type: Nullable(Type.String()),
  file_size: Nullable(Type.Integer({ description: 'Bytes' })),
  file_creation_date: Type.Null(),
  file_last_modified_date: Type.Null(),
  processing_status: StringEnum(['pending', 'parsing', 'embedding', 'completed', 'error']),
  error_message: Nullable(Type.String({ description: 'Why the file could not be read' })),
  total_chunks: Nullable(Type.Integer()),
  chunks_embedded: Nullable(Type.Integer()),
  content: Nullable(Type.String()),
  id: Type.String(),
  created_at: Nullable(Timestamp),
  updated_at: Nullable(Timestamp),
})
export type FileWire = Static<typeof FileSchema>
