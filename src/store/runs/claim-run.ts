import { type Queryable, statement } from '#store/db.ts'
import { NEW_MESSAGE_COLUMNS, newMessageRows } from '#store/messages/message-row.ts'
import { CLAIMED_RUN_COLUMNS, type ClaimedRun } from './run-row.ts'
import type { LeaseTerms } from './start-run.ts'

/** Starts the oldest queued run of a thread that no run owns: lease, thread and input messages in one statement. */
const claimNext = statement(
  'claim-next-run',
  `
with thread as (
  select c.id, c.agent_id, c.pending_approval_id is null as is_open from conversations as c
  where c.organization_id = $1 and c.id = $2 and c.active_run_id is null and c.deleted_at is null
  for update
), next as (
  select r.id, r.queued_input from runs as r join thread on r.conversation_id = thread.id
  where r.organization_id = $1 and r.conversation_id = $2 and r.status = 'created'
  order by r.queue_seq limit 1
  for update of r
), taken as (
  update conversations as c set active_run_id = next.id, queued_run_count = greatest(c.queued_run_count - 1, 0),
    message_count = c.message_count + case when c.pending_approval_id is null then jsonb_array_length(next.queued_input) else 0 end,
    last_message_at = now()
  from next where c.organization_id = $1 and c.id = $2
), said as (
  insert into messages (${NEW_MESSAGE_COLUMNS})
  ${newMessageRows({ from: 'next cross join thread', where: 'thread.is_open', json: 'next.queued_input', organizationId: '$1', agentId: 'thread.agent_id', conversationId: 'thread.id', runId: 'next.id' })}
)
update runs as r set status = 'running', started_at = now(), queued_input = null, lease_owner = $3,
  lease_token = r.lease_token + 1, lease_expires_at = now() + $4::integer * interval '1 millisecond'
from next where r.organization_id = $1 and r.id = next.id
returning ${CLAIMED_RUN_COLUMNS}`,
)

/** Takes over running runs whose lease is over, oldest first; the new token fences their former owner. */
const takeOver = statement(
  'take-over-runs',
  `
with expired as (
  select r.organization_id, r.id from runs as r
  where r.status = 'running' and r.lease_expires_at < now() and not r.id = any($3::text[])
  order by r.lease_expires_at limit $4
  for update skip locked
)
update runs as r set lease_owner = $1, lease_token = r.lease_token + 1, lease_expires_at = now() + $2::integer * interval '1 millisecond'
from expired where r.organization_id = expired.organization_id and r.id = expired.id
returning ${CLAIMED_RUN_COLUMNS}`,
)

/** Only the process that holds the lock on the data directory may say so: every lease that is left is a dead process's. */
const expireAll = statement(
  'expire-all-leases',
  `update runs as r set lease_expires_at = '-infinity' where r.status = 'running' and r.lease_owner is distinct from $1`,
)

export async function claimNextRun(
  db: Queryable,
  thread: { organizationId: string; conversationId: string },
  lease: LeaseTerms,
): Promise<ClaimedRun | undefined> {
  const [run] = await db.query<ClaimedRun>(claimNext, [
    thread.organizationId,
    thread.conversationId,
    lease.owner,
    lease.leaseMs,
  ])
  return run
}

/** @param except ids of runs that this process is working on: it may be late with their heartbeat, but not dead */
export function takeOverRuns(db: Queryable, lease: LeaseTerms, except: string[], limit: number): Promise<ClaimedRun[]> {
  return db.query<ClaimedRun>(takeOver, [lease.owner, lease.leaseMs, except, limit])
}

export async function expireForeignLeases(db: Queryable, owner: string): Promise<void> {
  await db.query(expireAll, [owner])
}
