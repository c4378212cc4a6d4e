import { type ModelCatalog, presentEmbeddingConfig } from '#http/v1/agents/present-model.ts'
import { presentTime } from '#http/wire/nullable.ts'
import type { ArchiveRow } from '#store/archives/archive-row.ts'
import type { ArchiveWire } from './archive-schema.ts'

/** A stored archive as the wire shows it. */
export function presentArchive(row: ArchiveRow, catalog: ModelCatalog): ArchiveWire {
  return {
    created_by_id: row.created_by_id,
    last_updated_by_id: row.last_updated_by_id,
    created_at: presentTime(row.created_at),
    updated_at: presentTime(row.updated_at),
    name: row.name,
    description: row.description,
    vector_db_provider: 'native',
    embedding_config: presentEmbeddingConfig(row.embedding, catalog),
    metadata: row.metadata ?? {},
    id: row.id,
  }
}
