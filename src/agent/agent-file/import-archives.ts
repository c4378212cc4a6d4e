import type { AgentAuthor } from '#agent/create-agent.ts'
import { createArchive } from '#memory/create-archive.ts'
import { insertArchivePassages } from '#memory/insert-archive-passages.ts'
import type { Queryable } from '#store/db.ts'
import { atPlace } from './at-place.ts'
import type { AgentBundle, BundledArchive } from './bundle.ts'

/** Passages of one statement. */
const PASSAGES_AT_ONCE = 500

/**
 * Stores the archives of a bundle with their passages, always new ones; gives their ids by those in the bundle.
 * @param embedding handle for every archive instead of its own, and for those that have none
 */
export async function importArchives(
  tx: Queryable,
  author: AgentAuthor,
  { archives }: AgentBundle,
  embedding: { override: string | undefined; fallback: string | undefined },
): Promise<ReadonlyMap<string, string>> {
  const ids = new Map<string, string>()
  for (const bundled of archives) {
    const handle = embedding.override ?? bundled.fields.embedding ?? embedding.fallback ?? null
    const fields = { ...bundled.fields, embedding: handle }
    const { id } = await atPlace(bundled.place, () => createArchive(tx, author, fields))
    await importPassages(tx, author, id, bundled)
    ids.set(bundled.id, id)
  }
  return ids
}

async function importPassages(
  tx: Queryable,
  author: AgentAuthor,
  archiveId: string,
  { place, passages }: BundledArchive,
): Promise<void> {
  for (let at = 0; at < passages.length; at += PASSAGES_AT_ONCE) {
    const some = passages.slice(at, at + PASSAGES_AT_ONCE)
    const where = `${place}.passages[${at}…${at + some.length - 1}]`
    await atPlace(where, () => insertArchivePassages(tx, author, archiveId, some))
  }
}
