import type { BundledArchive } from '#agent/agent-file/bundle.ts'
import { toEmbeddingHandle } from '#http/wire/to-embedding-handle.ts'
import { corrupted } from './corrupted.ts'
import type { FileArchive } from './file-schema.ts'

/** The archives of a file with their passages. Throws invalid_argument for a time that is none. */
export function readArchives(archives: readonly FileArchive[]): BundledArchive[] {
  return archives.map((archive, index) => {
    const place = `archives[${index}]`
    return {
      id: archive.id,
      place,
      fields: {
        name: archive.name,
        description: archive.description ?? null,
        embedding: toEmbeddingHandle(archive),
      },
      passages: (archive.passages ?? []).map(({ text, tags, metadata, created_at: time }, at) => ({
        text,
        tags,
        metadata,
        createdAt: readTime(time, `${place}.passages[${at}].created_at`),
      })),
    }
  })
}

function readTime(time: string | null | undefined, place: string): Date | null {
  if (time == null) return null
  const date = new Date(time)
  if (Number.isNaN(date.getTime())) throw corrupted(`${place} is no time: ${JSON.stringify(time.slice(0, 100))}.`)
  return date
}
