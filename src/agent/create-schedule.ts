import { notFound, unprocessable } from '#platform/errors.ts'
import { newId } from '#platform/ids.ts'
import type { Queryable } from '#store/db.ts'
import type { NewRun } from '#store/runs/start-run.ts'
import { insertSchedule } from '#store/schedules/insert-schedule.ts'
import type { NewSchedule } from '#store/schedules/schedule-row.ts'
import { checkTimezone } from './create-agent.ts'
import { nextCronTime } from './next-cron-time.ts'

/** When a message is to be sent: once, also where that has passed, or again and again. */
export type ScheduleTimes = { at: Date } | { cron: string; timezone: string }

/**
 * Keeps a message to be sent later. Throws not_found for an unknown agent, unprocessable for times that never come.
 * @param run what is to be started; its id is not used
 * @param message what the client sent, to be shown
 */
export async function createSchedule(
  db: Queryable,
  run: NewRun & { thread: { agentId: string } },
  message: Record<string, unknown>,
  times: ScheduleTimes,
): Promise<NewSchedule> {
  const isRecurring = 'cron' in times
  const schedule: NewSchedule = {
    organization_id: run.organizationId,
    id: newId('schedule'),
    agent_id: run.thread.agentId,
    scheduled_at: isRecurring ? null : times.at,
    cron_expression: isRecurring ? times.cron : null,
    timezone: isRecurring ? times.timezone : 'UTC',
    message,
    request: run.request,
    // an otid stands for one sending of a message
    input: isRecurring ? run.input.map((input) => ({ ...input, otid: null })) : run.input,
    callback_url: run.callbackUrl,
    created_by_id: run.userId,
    next_due_at: isRecurring ? firstTime(times) : times.at,
  }
  if (!(await insertSchedule(db, schedule))) throw notFound(`Agent ${schedule.agent_id} was not found.`)
  return schedule
}

function firstTime({ cron, timezone }: { cron: string; timezone: string }): Date {
  const first = nextCronTime(cron, checkTimezone(timezone), new Date())
  if (first === undefined) throw unprocessable(`cron_expression "${cron}" means a day that never comes.`)
  return first
}
