import { type Queryable, statement } from '#store/db.ts'

/** Asks a running run to stop; ends a queued one at once and takes it out of the thread's queue. */
const cancel = statement(
  'cancel-run',
  `
with thread as (
  -- before the run, as in claim-next-run: in the other order the two would wait for each other
  select c.id from conversations as c join runs as w on w.organization_id = c.organization_id and w.conversation_id = c.id
  where w.organization_id = $1 and w.id = $2 and w.status = 'created'
  for update of c
), queued as (
  update runs as r set status = 'cancelled', stop_reason = 'cancelled', completed_at = now(), queued_input = null,
    cancel_requested_at = now()
  from thread where r.organization_id = $1 and r.id = $2 and r.status = 'created'
  returning r.conversation_id
), shortened as (
  update conversations as c set queued_run_count = greatest(c.queued_run_count - 1, 0)
  from queued where c.organization_id = $1 and c.id = queued.conversation_id
), asked as (
  update runs as r set cancel_requested_at = coalesce(r.cancel_requested_at, now())
  where r.organization_id = $1 and r.id = $2 and r.status = 'running'
  returning r.id
)
select (select count(*) from queued)::integer as queued, (select count(*) from asked)::integer as asked`,
)

const listActive = statement(
  'list-active-runs',
  `
select r.id from runs as r
where r.organization_id = $1 and r.agent_id = $2 and r.status in ('created', 'running')
order by r.queue_seq limit 1000`,
)

/** `ended` at once (it was queued) · `asked` to stop (it runs) · `over` already, or unknown. */
export async function requestCancel(
  db: Queryable,
  organizationId: string,
  runId: string,
): Promise<'ended' | 'asked' | 'over'> {
  const [row] = await db.query<{ queued: number; asked: number }>(cancel, [organizationId, runId])
  if (row === undefined) return 'over'
  if (row.queued > 0) return 'ended'
  return row.asked > 0 ? 'asked' : 'over'
}

/** Ids of the agent's runs that have not ended, in the order in which they run; at most 1 000. */
export async function listActiveRunIds(db: Queryable, organizationId: string, agentId: string): Promise<string[]> {
  const rows = await db.query<{ id: string }>(listActive, [organizationId, agentId])
  return rows.map((row) => row.id)
}
