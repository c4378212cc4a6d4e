import Type from 'typebox'
import { createSchedule } from '#agent/create-schedule.ts'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { toRun } from '#http/v1/agents/messages/to-run.ts'
import { IdSchema } from '#http/wire/ids.ts'
import { presentTime, Timestamp } from '#http/wire/nullable.ts'
import { checkCallbackUrl } from '#runs/check-callback-url.ts'
import { ScheduleRequest } from './schedule-schema.ts'

export function scheduleMessage(app: App, context: Context): void {
  app.post(
    '/v1/agents/:agent_id/schedule',
    {
      config: { permission: 'messages:write' },
      schema: {
        operationId: 'schedule_message',
        tags: ['agents'],
        summary: 'Send messages to an agent later: once, or again and again',
        params: Type.Object({ agent_id: IdSchema('agent') }),
        body: ScheduleRequest,
        response: { 200: Type.Object({ id: Type.String(), next_scheduled_at: Timestamp }) },
      },
    },
    async ({ actor, body, id, params }) => {
      const { schedule, ...message } = body
      if (body.callback_url != null) checkCallbackUrl(body.callback_url, context.config.webhookAddresses === 'any')
      const run = await toRun(context.models, actor, { agentId: params.agent_id }, message, {
        requestId: id,
        runType: 'scheduled_message',
        background: true,
      })
      const times =
        'cron_expression' in schedule
          ? { cron: schedule.cron_expression, timezone: schedule.timezone ?? 'UTC' }
          : { at: new Date(schedule.scheduled_at) }
      const created = await createSchedule(context.db, { ...run, thread: { agentId: params.agent_id } }, message, times)
      return { id: created.id, next_scheduled_at: presentTime(created.next_due_at) }
    },
  )
}
