import { type Queryable, statement } from '#store/db.ts'
import type { RunStatus } from '#store/runs/run-row.ts'
import type { EventBatch } from './event-batch.ts'

/**
 * What comes after the cursors of many readers, each with the state of its run in the same snapshot: a run that has ended and
 * gives nothing more has nothing more to give. The first batch can begin before the cursor.
 */
const list = statement(
  'list-run-events',
  `
select f.position::integer - 1 as position, r.status, r.lease_token, r.completed_at, e.first_seq, e.last_seq, e.events
from unnest($1::text[], $2::text[], $3::bigint[]) with ordinality as f (organization_id, run_id, after_seq, position)
left join runs as r on r.organization_id = f.organization_id and r.id = f.run_id
left join lateral (
  select e.first_seq, e.last_seq, e.events from run_events as e
  where e.organization_id = f.organization_id and e.run_id = f.run_id and e.last_seq > f.after_seq
    and e.first_seq >= coalesce((select max(b.first_seq) from run_events as b
      where b.organization_id = f.organization_id and b.run_id = f.run_id and b.first_seq <= f.after_seq), 0)
  order by e.first_seq limit $4
) as e on true
order by f.position, e.first_seq`,
)

export interface RunCursor {
  organizationId: string
  runId: string
  /** Number of the last event that is known. */
  after: number
}

export interface RunEventPage {
  /** Null when there is no such run (any more). */
  run: { status: RunStatus; leaseToken: number; completedAt: Date | null } | null
  batches: EventBatch[]
}

/** One page for each cursor, in their order; each of at most `limit` batches. */
export async function listRunEvents(
  db: Queryable,
  cursors: readonly RunCursor[],
  limit: number,
): Promise<RunEventPage[]> {
  interface Row {
    position: number
    status: RunStatus | null
    lease_token: number
    completed_at: Date | null
    first_seq: number | null
    last_seq: number
    events: string
  }
  const rows = await db.query<Row>(list, [
    cursors.map((cursor) => cursor.organizationId),
    cursors.map((cursor) => cursor.runId),
    cursors.map((cursor) => cursor.after),
    limit,
  ])
  const pages = cursors.map((): RunEventPage => ({ run: null, batches: [] }))
  for (const row of rows) {
    const page = pages[row.position]
    if (page === undefined || row.status === null) continue
    page.run = { status: row.status, leaseToken: row.lease_token, completedAt: row.completed_at }
    if (row.first_seq !== null) {
      page.batches.push({ first_seq: row.first_seq, last_seq: row.last_seq, events: row.events })
    }
  }
  return pages
}
