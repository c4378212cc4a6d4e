import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { notFound } from '#platform/errors.ts'
import { deleteSchedule } from '#store/schedules/delete-schedule.ts'
import { ScheduleId } from './schedule-schema.ts'

export function deleteScheduledMessage(app: App, context: Context): void {
  app.delete(
    '/v1/agents/:agent_id/schedule/:scheduled_message_id',
    {
      config: { permission: 'messages:write' },
      schema: {
        operationId: 'delete_scheduled_message',
        tags: ['agents'],
        summary: 'Delete a scheduled message; a run that it has started goes on',
        params: ScheduleId,
        response: { 200: Type.Object({ success: Type.Literal(true) }) },
      },
    },
    async ({ actor, params }) => {
      const { agent_id, scheduled_message_id } = params
      if (!(await deleteSchedule(context.db, actor.organizationId, agent_id, scheduled_message_id))) {
        throw notFound(`Scheduled message ${scheduled_message_id} was not found.`)
      }
      return { success: true as const }
    },
  )
}
