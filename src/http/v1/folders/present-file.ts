import type { PassageWire } from '#http/v1/passages/passage-schema.ts'
import { presentTime } from '#http/wire/nullable.ts'
import type { FilePassageRow, FileRow } from '#store/files/file-row.ts'
import type { FileWire } from './folder-schema.ts'

/** A stored file as the wire shows it. Its chunks count as embedded when they can be found. */
export function presentFile(row: FileRow & { content?: string | null }): FileWire {
  return {
    source_id: row.folder_id,
    file_name: `${row.folder_name}/${row.name}`,
    original_file_name: row.original_name,
    file_path: null,
    file_type: row.media_type,
    file_size: row.size_bytes,
    file_creation_date: null,
    file_last_modified_date: null,
    processing_status: row.processing_status,
    error_message: row.error_message,
    total_chunks: row.passage_count,
    chunks_embedded: row.stored_passage_count ?? row.passage_count,
    content: row.content ?? null,
    id: row.id,
    created_at: presentTime(row.created_at),
    updated_at: presentTime(row.updated_at),
  }
}

/** A piece of a file in the form of a passage; its place in the file stands in `metadata`. */
export function presentFilePassage(row: FilePassageRow): Omit<PassageWire, 'source_id' | 'file_id' | 'file_name'> & {
  source_id: string
  file_id: string
  file_name: string
} {
  return {
    created_by_id: null,
    last_updated_by_id: null,
    created_at: presentTime(row.created_at),
    updated_at: presentTime(row.created_at),
    is_deleted: false,
    archive_id: null,
    source_id: row.folder_id,
    file_id: row.file_id,
    file_name: row.file_name,
    metadata: { position: row.position, start_line: row.start_line, end_line: row.end_line },
    tags: null,
    id: row.id,
    text: row.text,
    embedding: null,
    embedding_config: null,
  }
}
