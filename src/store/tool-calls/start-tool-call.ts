import { type Queryable, statement } from '#store/db.ts'
import type { Lease } from '#store/runs/run-row.ts'

/**
 * Marks a call as begun. The run is locked until this commits: whoever takes it over afterwards finds the mark, and whoever has
 * taken it over before has changed the token.
 */
const start = statement(
  'start-tool-call',
  `
with held as (
  select r.id from runs as r
  where r.organization_id = $1 and r.id = $2 and r.lease_token = $3 and r.status = 'running'
  for update
), call as (
  update tool_calls as t set state = 'started'
  from held where t.organization_id = $1 and t.id = $4 and t.created_at = $5 and t.state = 'requested'
  returning t.id
)
select case
  when not exists (select from held) then 'lease-lost'
  when not exists (select from call) then 'already-started'
  else 'started'
end as outcome`,
)

export type StartOutcome = 'started' | 'already-started' | 'lease-lost'

export async function startToolCall(
  db: Queryable,
  lease: Lease,
  call: { id: string; created_at: string },
): Promise<StartOutcome> {
  const [row] = await db.query<{ outcome: StartOutcome }>(start, [
    lease.organizationId,
    lease.runId,
    lease.token,
    call.id,
    call.created_at,
  ])
  return row?.outcome ?? 'lease-lost'
}
