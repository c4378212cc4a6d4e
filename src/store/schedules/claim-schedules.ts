import { type Queryable, statement } from '#store/db.ts'
import type { DueSchedule } from './schedule-row.ts'

/**
 * Takes schedules that are due, longest due first, each for one process only; of all tenants. One whose last run has not ended
 * stays due until it has: runs of a schedule never pile up. A claim whose process dies is over by itself.
 */
const claim = statement(
  'claim-schedules',
  `
with due as (
  select s.organization_id, s.id from schedules as s
  where s.next_due_at <= now() and (s.claimed_until is null or s.claimed_until < now())
    and not exists (select from runs as r where r.organization_id = s.organization_id and r.id = s.last_run_id
      and r.status in ('created', 'running'))
  order by s.next_due_at limit $1
  for update of s skip locked
)
update schedules as s set claimed_until = now() + $2::integer * interval '1 millisecond'
from due where s.organization_id = due.organization_id and s.id = due.id
returning s.organization_id, s.id, s.agent_id, s.cron_expression, s.timezone, s.request, s.input, s.callback_url, s.created_by_id,
  s.next_due_at`,
)

/** Only from the due time that was worked on: whoever comes second changes nothing. */
const advance = statement(
  'advance-schedule',
  `
update schedules as s set next_due_at = $4, last_due_at = $3, last_run_id = $5, claimed_until = null
where s.organization_id = $1 and s.id = $2 and s.next_due_at = $3`,
)

export function claimSchedules(db: Queryable, limit: number, leaseMs: number): Promise<DueSchedule[]> {
  return db.query<DueSchedule>(claim, [limit, leaseMs])
}

/** The run of the due time is accepted: on to the next one, or to the end where there is none. */
export async function advanceSchedule(
  db: Queryable,
  schedule: Pick<DueSchedule, 'organization_id' | 'id' | 'next_due_at'>,
  runId: string,
  nextDueAt: Date | undefined,
): Promise<void> {
  await db.query(advance, [schedule.organization_id, schedule.id, schedule.next_due_at, nextDueAt ?? null, runId])
}
