import { type Queryable, statement } from '#store/db.ts'
import type { Lease } from '#store/runs/run-row.ts'
import type { EventBatch } from './event-batch.ts'

/**
 * Batches of many runs at once. Only the newest owner of a run may write; that is not locked against a take-over at the same
 * moment, since each owner's numbers are its own and lie below those of the next.
 */
const append = statement(
  'append-run-events',
  `
insert into run_events (organization_id, run_id, first_seq, last_seq, events)
select r.organization_id, r.id, n.first_seq, n.last_seq, n.events
from unnest($1::text[], $2::text[], $3::integer[], $4::bigint[], $5::bigint[], $6::text[])
  as n (organization_id, run_id, token, first_seq, last_seq, events)
join runs as r on r.organization_id = n.organization_id and r.id = n.run_id and r.lease_token = n.token
on conflict do nothing`,
)

/** Can be repeated: a batch that is stored already stays as it is. */
export async function appendRunEvents(
  db: Queryable,
  entries: readonly { lease: Lease; batch: EventBatch }[],
): Promise<void> {
  await db.query(append, [
    entries.map(({ lease }) => lease.organizationId),
    entries.map(({ lease }) => lease.runId),
    entries.map(({ lease }) => lease.token),
    entries.map(({ batch }) => batch.first_seq),
    entries.map(({ batch }) => batch.last_seq),
    entries.map(({ batch }) => batch.events),
  ])
}
