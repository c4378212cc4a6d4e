import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { findToolTime } from '#store/tool-calls/find-tool-time.ts'
import { getStep } from './get-step.ts'
import { presentStepMetrics } from './present-step.ts'
import { StepId, StepMetricsSchema } from './step-schema.ts'

export function retrieveMetricsForStep(app: App, context: Context): void {
  app.get(
    '/v1/steps/:step_id/metrics',
    {
      config: { permission: 'steps:read' },
      schema: {
        operationId: 'retrieve_metrics_for_step',
        tags: ['steps'],
        summary: 'Times of a step',
        params: StepId,
        response: { 200: StepMetricsSchema },
      },
    },
    async ({ actor, params }) => {
      const step = await getStep(context.db, actor.organizationId, params.step_id)
      return presentStepMetrics(step, await findToolTime(context.db, actor.organizationId, step.run_id, step.id))
    },
  )
}
