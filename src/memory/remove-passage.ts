import { notFound } from '#platform/errors.ts'
import type { Queryable } from '#store/db.ts'
import { deleteAgentPassage } from '#store/passages/passage-writer.ts'

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
