import { presentTime } from '#http/wire/nullable.ts'
import { presentAuthor } from '#http/wire/versions.ts'
import type { PassageVersionRow } from '#store/passages/passage-version-reader.ts'
import type { PassageVersionWire } from './passage-version-schema.ts'

/** A version as the wire shows it in lists, without its text. */
export function presentPassageVersion(row: PassageVersionRow): PassageVersionWire {
  return {
    passage_id: row.passage_id,
    version: row.version,
    tags: row.tags,
    metadata: row.metadata ?? {},
    size_bytes: row.size_bytes,
    author: presentAuthor(row),
    created_at: presentTime(row.created_at),
  }
}
