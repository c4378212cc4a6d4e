import { presentTime } from '#http/wire/nullable.ts'
import { unprocessable } from '#platform/errors.ts'
import { findAgentArchive } from '#store/archives/agent-archive-reader.ts'
import { getArchive } from '#store/archives/archive-reader.ts'
import type { Queryable } from '#store/db.ts'
import { listPassagesToExport } from '#store/passages/list-passages-to-export.ts'

/** The archival memory of an agent, as its file has it. */
export interface FileArchive {
  id: string
  name: string
  description: string | null
  embedding: string | null
  passages: Record<string, unknown>[]
}

/**
 * The archive of an agent with all its passages, the oldest first; undefined where it has none. Reads no more than fits in `maxBytes`.
 * Throws unprocessable where they do not.
 * @returns how large it is in the file, too
 */
export async function writeArchive(
  db: Queryable,
  organizationId: string,
  agentId: string,
  maxBytes: number,
): Promise<{ archive: FileArchive; bytes: number } | undefined> {
  const archiveId = (await findAgentArchive(db, organizationId, agentId))?.archive_id ?? null
  if (archiveId === null) return undefined
  const { name, description, embedding } = await getArchive(db, organizationId, archiveId)
  const passages: Record<string, unknown>[] = []
  let bytes = 0
  for await (const { text, tags, metadata, created_at } of listPassagesToExport(db, organizationId, archiveId)) {
    const passage = { text, tags, metadata, created_at: presentTime(created_at) }
    bytes += Buffer.byteLength(JSON.stringify(passage))
    if (bytes > maxBytes) throw tooLarge(agentId, archiveId, maxBytes)
    passages.push(passage)
  }
  return { archive: { id: 'archive-0', name, description, embedding, passages }, bytes }
}

const tooLarge = (agentId: string, archiveId: string, maxBytes: number) =>
  unprocessable(
    `The archive ${archiveId} of agent ${agentId} has more than ${(maxBytes / 1024 / 1024).toFixed(1)} MiB of passages, which is what an agent file may carry (half of PERDURE_MAX_BODY_SIZE). Export without it (scrub_archives=true), and move its passages from GET /v1/agents/${agentId}/archival-memory to POST /v1/archives/{archive_id}/passages/batch.`,
  )
