import { type Queryable, statement } from '#store/db.ts'
import type { Lease } from './run-row.ts'

/**
 * A row that is locked is being written to, mostly by the run itself: it is left for the next heartbeat, so that one commit
 * that has to wait does not cost all other runs of the process their leases. Nobody takes a locked run over either.
 */
const renew = statement(
  'renew-leases',
  `
with ours as (
  select r.organization_id, r.id, r.cancel_requested_at is not null as is_cancel_requested
  from unnest($1::text[], $2::text[], $4::integer[]) as held (organization_id, id, token)
  join runs as r on r.organization_id = held.organization_id and r.id = held.id and r.lease_token = held.token and r.status = 'running'
), free as (
  select r.organization_id, r.id
  from unnest($1::text[], $2::text[], $4::integer[]) as held (organization_id, id, token)
  join runs as r on r.organization_id = held.organization_id and r.id = held.id and r.lease_token = held.token and r.status = 'running'
  for update of r skip locked
), renewed as (
  update runs as r set lease_expires_at = now() + $3::integer * interval '1 millisecond'
  from free where r.organization_id = free.organization_id and r.id = free.id
)
select ours.id, ours.is_cancel_requested from ours`,
)

const release = statement(
  'release-leases',
  `update runs as r set lease_expires_at = '-infinity' where r.status = 'running' and r.lease_owner = $1`,
)

const releaseOne = statement(
  'release-lease',
  `update runs as r set lease_expires_at = '-infinity'
   where r.organization_id = $1 and r.id = $2 and r.lease_token = $3 and r.status = 'running'`,
)

/** Prolongs the leases that are still ours; a run that is missing from the answer is lost to this process. */
export function renewLeases(
  db: Queryable,
  held: { organizationId: string; runId: string; token: number }[],
  leaseMs: number,
): Promise<{ id: string; is_cancel_requested: boolean }[]> {
  return db.query(renew, [
    held.map((lease) => lease.organizationId),
    held.map((lease) => lease.runId),
    leaseMs,
    held.map((lease) => lease.token),
  ])
}

/** Gives one lease back; nothing where it is lost already. */
export async function releaseLease(db: Queryable, lease: Lease): Promise<void> {
  await db.query(releaseOne, [lease.organizationId, lease.runId, lease.token])
}

/** Gives all leases of a process back at once, so that the next process need not wait until they are over. */
export async function releaseLeases(db: Queryable, owner: string): Promise<void> {
  await db.query(release, [owner])
}
