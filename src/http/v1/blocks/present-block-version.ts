import { presentTime } from '#http/wire/nullable.ts'
import { presentAuthor } from '#http/wire/versions.ts'
import type { BlockVersionRow } from '#store/blocks/block-version-reader.ts'
import type { BlockVersionWire } from './block-version-schema.ts'

/** A version as the wire shows it in lists, without its value. */
export function presentBlockVersion(row: BlockVersionRow): BlockVersionWire {
  return {
    block_id: row.block_id,
    version: row.version,
    label: row.label,
    description: row.description,
    size_bytes: row.size_bytes,
    author: presentAuthor(row),
    created_at: presentTime(row.created_at),
  }
}
