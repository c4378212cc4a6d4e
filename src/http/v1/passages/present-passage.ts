import { presentTime } from '#http/wire/nullable.ts'
import type { PassageRow } from '#store/passages/passage-row.ts'
import type { WrittenPassageRow } from '#store/passages/passage-writer.ts'
import type { PassageWire, WrittenPassageWire } from './passage-schema.ts'

/** A stored passage as the wire shows it. */
export function presentPassage(row: PassageRow): PassageWire {
  return {
    created_by_id: row.created_by_id,
    last_updated_by_id: row.last_updated_by_id,
    created_at: presentTime(row.created_at),
    updated_at: presentTime(row.updated_at),
    is_deleted: false,
    archive_id: row.archive_id,
    source_id: null,
    file_id: null,
    file_name: null,
    metadata: row.metadata ?? {},
    tags: row.tags,
    id: row.id,
    text: row.text,
    embedding: null,
    embedding_config: null,
  }
}

/** The answer to a write: V1's passage, and the mark where it is one that was there. */
export function presentWrittenPassage(row: WrittenPassageRow): WrittenPassageWire {
  return { ...presentPassage(row), ...(row.isDuplicate ? { is_duplicate: true as const } : {}) }
}
