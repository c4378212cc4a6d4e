import { type Queryable, statement } from '#store/db.ts'

// An active run is left alone: its thread counts on it.
const DELETE_RUN = statement(
  'delete-run',
  `delete from runs as r where r.organization_id = $1 and r.id = $2 and r.status not in ('created', 'running') returning r.id`,
)

/** Deletes a run that has ended; its messages and steps stay. False when there is no such run or it has not ended. */
export async function deleteRun(db: Queryable, organizationId: string, runId: string): Promise<boolean> {
  const rows = await db.query(DELETE_RUN, [organizationId, runId])
  return rows.length > 0
}
