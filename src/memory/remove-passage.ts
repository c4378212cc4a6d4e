import { notFound } from '#platform/errors.ts'
import type { Queryable } from '#store/db.ts'
import { deleteAgentPassage, deleteArchivePassage } from '#store/passages/passage-writer.ts'

/** Deletes a passage from the archive of an agent. Throws not_found. */
export async function removePassage(
  db: Queryable,
  organizationId: string,
  agentId: string,
  passageId: string,
): Promise<void> {
  if (await deleteAgentPassage(db, organizationId, agentId, passageId)) return
  throw notFound(`Passage ${passageId} was not found in the archival memory of agent ${agentId}.`)
}

/** Deletes a passage from an archive. Throws not_found. */
export async function removeArchivePassage(
  db: Queryable,
  organizationId: string,
  archiveId: string,
  passageId: string,
): Promise<void> {
  if (await deleteArchivePassage(db, organizationId, archiveId, passageId)) return
  throw notFound(`Passage ${passageId} was not found in archive ${archiveId}.`)
}
