import { type Queryable, statement } from '#store/db.ts'
import type { NewSchedule } from './schedule-row.ts'

const insert = statement(
  'insert-schedule',
  `
insert into schedules (organization_id, id, agent_id, scheduled_at, cron_expression, timezone, message, request, input, callback_url,
  created_by_id, next_due_at)
select $1, $2, a.id, $4, $5, $6, $7::jsonb, $8::jsonb, $9::jsonb, $10, $11, $12
from agents as a where a.organization_id = $1 and a.id = $3
returning id`,
)

/** False where there is no such agent. */
export async function insertSchedule(db: Queryable, schedule: NewSchedule): Promise<boolean> {
  const rows = await db.query(insert, [
    schedule.organization_id,
    schedule.id,
    schedule.agent_id,
    schedule.scheduled_at,
    schedule.cron_expression,
    schedule.timezone,
    JSON.stringify(schedule.message),
    JSON.stringify(schedule.request),
    JSON.stringify(schedule.input),
    schedule.callback_url,
    schedule.created_by_id,
    schedule.next_due_at,
  ])
  return rows.length > 0
}
