import Type, { type Static } from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { IdSchema } from '#http/wire/ids.ts'
import { StringEnum } from '#http/wire/nullable.ts'
import { pagingParameters, toPageRequest } from '#http/wire/paging.ts'
import * as reader from '#store/runs/run-reader.ts'
import { presentRun } from './present-run.ts'
import { ACTIVE_STATUSES, RUN_STATUSES, RunSchema, STOP_REASONS } from './run-schema.ts'

const ListRunsQuery = Type.Object({
  ...pagingParameters({ limit: 100 }),
  agent_id: Type.Optional(IdSchema('agent')),
  agent_ids: Type.Optional(Type.Array(IdSchema('agent'), { deprecated: true })),
  statuses: Type.Optional(Type.Array(StringEnum(RUN_STATUSES))),
  background: Type.Optional(Type.Boolean()),
  stop_reason: Type.Optional(StringEnum(STOP_REASONS)),
  conversation_id: Type.Optional(Type.String({ description: "An id, or 'default'" })),
  sent_by_run: Type.Optional(
    Type.String({ description: 'Only runs that this run began, by sending a message to another agent' }),
  ),
  active: Type.Boolean({ default: false, description: 'Only runs that wait or work' }),
  ascending: Type.Optional(Type.Boolean({ deprecated: true, description: 'Older name of order=asc' })),
})

export function listRuns(app: App, context: Context): void {
  app.get(
    '/v1/runs',
    {
      config: { permission: 'runs:read' },
      schema: {
        operationId: 'list_runs',
        tags: ['runs'],
        summary: 'List runs, newest first unless asked otherwise',
        querystring: ListRunsQuery,
        response: { 200: Type.Array(RunSchema) },
      },
    },
    async ({ actor, query }) => {
      const page = toPageRequest(query.ascending ? { ...query, order: 'asc' } : query)
      const rows = await reader.listRuns(context.db, actor.organizationId, toFilter(query), page)
      return rows.map(presentRun)
    },
  )
}

function toFilter(query: Static<typeof ListRunsQuery>): reader.RunFilter {
  const { statuses } = query
  return {
    agentIds: query.agent_id === undefined ? query.agent_ids : [query.agent_id],
    statuses: query.active ? ACTIVE_STATUSES.filter((status) => statuses?.includes(status) ?? true) : statuses,
    background: query.background,
    stopReason: query.stop_reason,
    conversationId: query.conversation_id,
    sentByRun: query.sent_by_run,
  }
}
