import { type Queryable, statement } from '#store/db.ts'

// hot: several times a second on each process that has runs
const list = statement(
  'list-cancelled-runs',
  `
select r.id from runs as r
where r.lease_owner = $1 and r.status = 'running' and r.cancel_requested_at is not null`,
)

/** Ids of the runs of a process that are asked to stop. */
export async function listCancelledRuns(db: Queryable, owner: string): Promise<string[]> {
  const rows = await db.query<{ id: string }>(list, [owner])
  return rows.map((row) => row.id)
}
