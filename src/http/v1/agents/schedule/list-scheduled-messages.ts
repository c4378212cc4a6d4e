import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { IdSchema } from '#http/wire/ids.ts'
import { pagingParameters, toPageRequest } from '#http/wire/paging.ts'
import { requireAgent } from '#store/agents/require-agent.ts'
import { listSchedules } from '#store/schedules/schedule-reader.ts'
import { presentSchedule } from './present-schedule.ts'
import { ScheduleSchema } from './schedule-schema.ts'

export function listScheduledMessages(app: App, context: Context): void {
  const { after, limit } = pagingParameters({ limit: 20 })
  app.get(
    '/v1/agents/:agent_id/schedule',
    {
      config: { permission: 'messages:read' },
      schema: {
        operationId: 'list_scheduled_messages',
        tags: ['agents'],
        summary: "List an agent's scheduled messages, oldest first; one that was sent stays for a week",
        params: Type.Object({ agent_id: IdSchema('agent') }),
        querystring: Type.Object({ after, limit }),
        response: {
          200: Type.Object({ scheduled_messages: Type.Array(ScheduleSchema), has_next_page: Type.Boolean() }),
        },
      },
    },
    async ({ actor, params, query }) => {
      await requireAgent(context.db, actor.organizationId, params.agent_id)
      const page = toPageRequest({ ...query, order: 'asc' })
      // one more than asked for tells whether there is a next page
      const more = { ...page, limit: page.limit + 1 }
      const rows = await listSchedules(context.db, actor.organizationId, params.agent_id, more)
      return {
        scheduled_messages: rows.slice(0, page.limit).map(presentSchedule),
        has_next_page: rows.length > page.limit,
      }
    },
  )
}
