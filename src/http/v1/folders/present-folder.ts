import { type ModelCatalog, presentEmbeddingConfig } from '#http/v1/agents/present-model.ts'
import { presentTime } from '#http/wire/nullable.ts'
import type { FolderRow } from '#store/folders/folder-row.ts'
import type { FolderWire, SourceWire } from './folder-schema.ts'

/** A stored folder as the wire shows it. */
export function presentFolder(row: FolderRow, catalog: ModelCatalog): FolderWire {
  return {
    name: row.name,
    description: row.description,
    instructions: row.instructions,
    metadata: row.metadata,
    id: row.id,
    embedding_config: presentEmbeddingConfig(row.embedding, catalog),
    created_by_id: row.created_by_id,
    last_updated_by_id: row.last_updated_by_id,
    created_at: presentTime(row.created_at),
    updated_at: presentTime(row.updated_at),
  }
}

export function presentSource(row: FolderRow, catalog: ModelCatalog): SourceWire {
  return { ...presentFolder(row, catalog), vector_db_provider: 'native' }
}
