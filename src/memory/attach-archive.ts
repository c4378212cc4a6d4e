import { conflict } from '#platform/errors.ts'
import { requireAgent } from '#store/agents/require-agent.ts'
import { archiveNotFound, getArchive } from '#store/archives/archive-reader.ts'
import { attachArchiveRow, detachArchiveRow } from '#store/archives/archive-writer.ts'
import type { Queryable } from '#store/db.ts'

/**
 * Makes an archive the archival memory of an agent; does nothing where it is already.
 * Throws not_found (agent, archive), conflict where the agent has another one.
 */
export async function attachArchive(
  db: Queryable,
  organizationId: string,
  agentId: string,
  archiveId: string,
): Promise<void> {
  const attached = await attachArchiveRow(db, organizationId, agentId, archiveId)
  if (attached === archiveId) return
  if (attached !== undefined) {
    throw conflict(
      `Agent ${agentId} has the archive ${attached} already, and can have one only. Detach that one first.`,
      {
        canRetry: false,
      },
    )
  }
  await requireAgent(db, organizationId, agentId)
  throw archiveNotFound(archiveId)
}

/** Does nothing where it is not attached. Throws not_found (agent, archive). */
export async function detachArchive(
  db: Queryable,
  organizationId: string,
  agentId: string,
  archiveId: string,
): Promise<void> {
  await requireAgent(db, organizationId, agentId)
  await getArchive(db, organizationId, archiveId)
  await detachArchiveRow(db, organizationId, agentId, archiveId)
}
