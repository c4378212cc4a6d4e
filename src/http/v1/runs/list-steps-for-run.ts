import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { presentStep } from '#http/v1/steps/present-step.ts'
import { StepSchema } from '#http/v1/steps/step-schema.ts'
import { pagingParameters, toPageRequest } from '#http/wire/paging.ts'
import { listSteps } from '#store/steps/step-reader.ts'
import { getRun } from './get-run.ts'
import { RunId } from './run-schema.ts'

export function listStepsForRun(app: App, context: Context): void {
  app.get(
    '/v1/runs/:run_id/steps',
    {
      config: { permission: 'runs:read' },
      schema: {
        operationId: 'list_steps_for_run',
        tags: ['runs'],
        summary: 'List the steps of a run, newest first unless asked otherwise',
        params: RunId,
        querystring: Type.Object(pagingParameters({ limit: 100 })),
        response: { 200: Type.Array(StepSchema) },
      },
    },
    async ({ actor, params, query }) => {
      await getRun(context.db, actor.organizationId, params.run_id)
      const rows = await listSteps(context.db, actor.organizationId, { runId: params.run_id }, toPageRequest(query))
      return rows.map(presentStep)
    },
  )
}
