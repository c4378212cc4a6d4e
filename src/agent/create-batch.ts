import { notFound } from '#platform/errors.ts'
import { newOrderedId } from '#platform/ids.ts'
import { insertBatch } from '#store/batches/insert-batch.ts'
import type { Queryable } from '#store/db.ts'
import type { NewRun } from '#store/runs/start-run.ts'

/**
 * Keeps runs to be started as there is room for them. Throws not_found for an unknown agent, and then nothing is stored.
 * @returns the id of the batch
 */
export async function createBatch(
  db: Queryable,
  actor: { organizationId: string; userId: string },
  runs: (NewRun & { thread: { agentId: string } })[],
  callbackUrl: string | null,
): Promise<string> {
  const id = newOrderedId('job')
  const items = runs.map((run, position) => ({
    position,
    agent_id: run.thread.agentId,
    run_id: run.runId,
    request: run.request,
    input: run.input,
  }))
  const { organizationId, userId } = actor
  const missing = await insertBatch(db, { organizationId, id, items, callbackUrl, userId })
  if (missing !== undefined) throw notFound(`Agent ${missing} was not found; nothing of the batch was accepted.`)
  return id
}
