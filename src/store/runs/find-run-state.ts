import { type Queryable, statement } from '#store/db.ts'
import type { Lease, RunStatus } from './run-row.ts'

const find = statement(
  'find-run-state',
  // with a lock, so that it waits for a synchronous standby as the commit did whose answer got lost
  'select r.status, r.step_count from runs as r where r.organization_id = $1 and r.id = $2 and r.lease_token = $3 for no key update',
)

/** Where a run stands; undefined when it is gone or another process holds its lease. */
export async function findRunState(
  db: Queryable,
  lease: Lease,
): Promise<{ status: RunStatus; step_count: number } | undefined> {
  const [row] = await db.query<{ status: RunStatus; step_count: number }>(find, [
    lease.organizationId,
    lease.runId,
    lease.token,
  ])
  return row
}
