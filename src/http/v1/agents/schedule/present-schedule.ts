import { presentTime } from '#http/wire/nullable.ts'
import type { ScheduleRow } from '#store/schedules/schedule-row.ts'
import type { ScheduleTimes, ScheduleWire } from './schedule-schema.ts'

export function presentSchedule(row: ScheduleRow): ScheduleWire {
  return {
    id: row.id,
    agent_id: row.agent_id,
    message: row.message,
    next_scheduled_time: presentTime(row.next_due_at),
    schedule: presentTimes(row),
  }
}

function presentTimes({ scheduled_at, cron_expression, timezone }: ScheduleRow): ScheduleTimes {
  return cron_expression === null
    ? { type: 'one-time', scheduled_at: scheduled_at?.getTime() ?? 0 }
    : { type: 'recurring', cron_expression, timezone }
}
