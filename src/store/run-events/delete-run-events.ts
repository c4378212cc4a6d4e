import { type Queryable, statement } from '#store/db.ts'

/** In small bites, so that no replica holds many locks or writes much at once; what another one is deleting is skipped. */
const deleteOld = statement(
  'delete-old-run-events',
  `
with gone as (
  delete from run_events as e where e.ctid = any (array(
    select o.ctid from run_events as o where o.created_at < now() - $1::bigint * interval '1 millisecond'
    order by o.created_at limit $2
    for update skip locked))
  returning 1
)
select count(*)::integer as count from gone`,
)

const deleteBefore = statement(
  'trim-run-events',
  'delete from run_events as e where e.organization_id = $1 and e.run_id = $2 and e.first_seq < $3',
)

/** Deletes batches that are older, oldest first; gives how many there were. */
export async function deleteOldRunEvents(db: Queryable, olderThanMs: number, limit: number): Promise<number> {
  const [row] = await db.query<{ count: number }>(deleteOld, [olderThanMs, limit])
  return row?.count ?? 0
}

/** Forgets the beginning of a run's log. */
export async function trimRunEvents(
  db: Queryable,
  organizationId: string,
  runId: string,
  beforeSeq: number,
): Promise<void> {
  await db.query(deleteBefore, [organizationId, runId, beforeSeq])
}
