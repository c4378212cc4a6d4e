import type { Static } from 'typebox'
import { parseMoment } from '#http/wire/moment.ts'
import type { NewArchivePassage } from '#memory/insert-archive-passages.ts'
import type { NewPassageSchema } from './archive-schema.ts'

/** `place` is where the time stands in the request, for the error about one that cannot be read. */
export function toNewPassage(body: Static<typeof NewPassageSchema>, place: string): NewArchivePassage {
  const { text, tags, metadata } = body
  return { text, tags, metadata, createdAt: parseMoment(place, body.created_at), allowDuplicate: body.allow_duplicate }
}
