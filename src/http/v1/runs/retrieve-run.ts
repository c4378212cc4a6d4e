import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { getRun } from './get-run.ts'
import { presentRun } from './present-run.ts'
import { RunId, RunSchema } from './run-schema.ts'

export function retrieveRun(app: App, context: Context): void {
  app.get(
    '/v1/runs/:run_id',
    {
      config: { permission: 'runs:read' },
      schema: {
        operationId: 'retrieve_run',
        tags: ['runs'],
        summary: 'Retrieve a run',
        params: RunId,
        response: { 200: RunSchema },
      },
    },
    async ({ actor, params }) => presentRun(await getRun(context.db, actor.organizationId, params.run_id)),
  )
}
