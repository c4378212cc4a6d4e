import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { notFound } from '#platform/errors.ts'
import { findSchedule } from '#store/schedules/schedule-reader.ts'
import { presentSchedule } from './present-schedule.ts'
import { ScheduleId, ScheduleSchema } from './schedule-schema.ts'

export function retrieveScheduledMessage(app: App, context: Context): void {
  app.get(
    '/v1/agents/:agent_id/schedule/:scheduled_message_id',
    {
      config: { permission: 'messages:read' },
      schema: {
        operationId: 'retrieve_scheduled_message',
        tags: ['agents'],
        summary: 'Get a scheduled message; its next time is null when it has been sent for the last time',
        params: ScheduleId,
        response: { 200: ScheduleSchema },
      },
    },
    async ({ actor, params }) => {
      const { agent_id, scheduled_message_id } = params
      const row = await findSchedule(context.db, actor.organizationId, agent_id, scheduled_message_id)
      if (row === undefined) throw notFound(`Scheduled message ${scheduled_message_id} was not found.`)
      return presentSchedule(row)
    },
  )
}
