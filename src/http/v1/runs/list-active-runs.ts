import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { IdSchema } from '#http/wire/ids.ts'
import * as reader from '#store/runs/run-reader.ts'
import { presentRun } from './present-run.ts'
import { ACTIVE_STATUSES, RunSchema } from './run-schema.ts'

/** V1 had no limit here; whoever has more asks `GET /v1/runs/?active=true` with a cursor. */
const MAX_RUNS = 1_000

export function listActiveRuns(app: App, context: Context): void {
  app.get(
    '/v1/runs/active',
    {
      config: { permission: 'runs:read' },
      schema: {
        operationId: 'list_active_runs',
        tags: ['runs'],
        summary: 'List the runs that wait or work, newest first, 1000 at most',
        deprecated: true,
        querystring: Type.Object({
          agent_id: Type.Optional(IdSchema('agent')),
          background: Type.Optional(Type.Boolean()),
        }),
        response: { 200: Type.Array(RunSchema) },
      },
    },
    async ({ actor, query }) => {
      const filter = {
        agentIds: query.agent_id === undefined ? undefined : [query.agent_id],
        background: query.background,
        statuses: ACTIVE_STATUSES,
      }
      const page = { limit: MAX_RUNS, order: 'desc' } as const
      return (await reader.listRuns(context.db, actor.organizationId, filter, page)).map(presentRun)
    },
  )
}
