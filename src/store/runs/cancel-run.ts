import { type Queryable, statement } from '#store/db.ts'
import { type EventBatch, loggedEvents } from '#store/run-events/event-batch.ts'
import { runDeliveryInsert } from '#store/webhooks/insert-delivery.ts'

/** Asks a running run to stop; ends a queued one at once and takes it out of the thread's queue. */
const cancel = statement(
  'cancel-run',
  `
with thread as (
  -- before the run, as in claim-next-run: in the other order the two would wait for each other
  select c.id from conversations as c join runs as w on w.organization_id = c.organization_id and w.conversation_id = c.id
  where w.organization_id = $1 and w.id = $2 and w.status = 'created'
  for update of c
), waiting as (
  -- a run that somebody has locked although the thread is ours has started while we waited for the thread, and its commit
  -- will want the thread next: waiting for it here would be a deadlock, so the caller looks again without the thread
  select r.id from runs as r join thread on true
  where r.organization_id = $1 and r.id = $2 and r.status = 'created'
  for update of r skip locked
), queued as (
  update runs as r set status = 'cancelled', stop_reason = 'cancelled', completed_at = now(), queued_input = null,
    cancel_requested_at = now()
  from waiting where r.organization_id = $1 and r.id = waiting.id
  returning r.id, r.conversation_id, r.callback_url, r.status, r.completed_at, r.metadata, r.error
), callback as (${runDeliveryInsert('queued')}
), logged as (
  ${loggedEvents({ from: 'queued', json: '$3::jsonb', organizationId: '$1', runId: '$2' })}
), shortened as (
  update conversations as c set queued_run_count = greatest(c.queued_run_count - 1, 0)
  from queued where c.organization_id = $1 and c.id = queued.conversation_id
), asked as (
  update runs as r set cancel_requested_at = coalesce(r.cancel_requested_at, now())
  where r.organization_id = $1 and r.id = $2 and r.status = 'running'
  returning r.id
)
select case
  when exists (select from queued) then 'ended'
  when exists (select from asked) then 'asked'
  when exists (select from thread) then 'changing'
  else 'over'
end as outcome`,
)

const listActive = statement(
  'list-active-runs',
  `
select r.id from runs as r
where r.organization_id = $1 and r.agent_id = $2 and r.status in ('created', 'running')
order by r.queue_seq limit 1000`,
)

/** `ended` at once (it was queued) · `asked` to stop (it runs) · `changing` now: ask again · `over` already, or unknown. */
export type CancelOutcome = 'ended' | 'asked' | 'changing' | 'over'

/** @param end what the streams of a queued run tell of its end */
export async function requestCancel(
  db: Queryable,
  organizationId: string,
  runId: string,
  end: EventBatch,
): Promise<CancelOutcome> {
  const [row] = await db.query<{ outcome: CancelOutcome }>(cancel, [organizationId, runId, JSON.stringify([end])])
  return row?.outcome ?? 'over'
}

/** Ids of the agent's runs that have not ended, in the order in which they run; at most 1 000. */
export async function listActiveRunIds(db: Queryable, organizationId: string, agentId: string): Promise<string[]> {
  const rows = await db.query<{ id: string }>(listActive, [organizationId, agentId])
  return rows.map((row) => row.id)
}
