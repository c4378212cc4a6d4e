import type { BundledFile, BundledFolder, BundledView } from '#agent/agent-file/bundle.ts'
import { toEmbeddingHandle } from '#http/wire/to-embedding-handle.ts'
import { corrupted } from './corrupted.ts'
import type { CurrentFile, FileOfAgent } from './file-schema.ts'

/** The folders of a file, called sources there, with those of its files that have their text. Throws invalid_argument. */
export function readFolders(file: CurrentFile, sourceIds: ReadonlySet<string>): BundledFolder[] {
  const files = (file.files ?? []).map((entry, index) => ({ entry, place: `files[${index}]` }))
  const lost = files.find(({ entry }) => entry.content != null && !sourceIds.has(entry.source_id ?? ''))
  if (lost !== undefined) {
    const { source_id: id } = lost.entry
    const given = id == null ? 'It is missing' : `'${id.slice(0, 100)}' is not among the sources of the file`
    throw corrupted(`${lost.place}.source_id: ${given}.`)
  }
  return (file.sources ?? []).map((source, index) => ({
    id: source.id,
    place: `sources[${index}]`,
    fields: {
      name: source.name,
      description: source.description ?? null,
      instructions: source.instructions ?? null,
      metadata: source.metadata ?? null,
      embedding: toEmbeddingHandle(source),
    },
    files: files.flatMap(({ entry, place }): BundledFile[] => {
      const { id, content, file_name: path, original_file_name: originalName, file_type: type } = entry
      if (content == null || entry.source_id !== source.id) return []
      const name = path ?? originalName ?? id
      return [{ id, place, name, originalName: originalName ?? name, mediaType: type ?? null, text: content }]
    }),
  }))
}

/** What an agent has open, in the order in which it was used. */
export function readOpenFiles(files: readonly FileOfAgent[] | null | undefined): BundledView[] | undefined {
  if (files == null || files.length === 0) return undefined
  const timeOf = ({ last_accessed_at: time }: FileOfAgent): number => Date.parse(time ?? '') || 0
  return files
    .filter((file) => file.is_open ?? true)
    .toSorted((a, b) => timeOf(a) - timeOf(b))
    .map(({ file_id: fileId, start_line: start, end_line: end }) => ({
      fileId,
      lines: start == null || end == null || start < 1 || end < start ? null : { start, end },
    }))
}
