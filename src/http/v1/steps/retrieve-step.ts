import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { getStep } from './get-step.ts'
import { presentStep } from './present-step.ts'
import { StepId, StepSchema } from './step-schema.ts'

export function retrieveStep(app: App, context: Context): void {
  app.get(
    '/v1/steps/:step_id',
    {
      config: { permission: 'steps:read' },
      schema: {
        operationId: 'retrieve_step',
        tags: ['steps'],
        summary: 'Retrieve a step',
        params: StepId,
        response: { 200: StepSchema },
      },
    },
    async ({ actor, params }) => presentStep(await getStep(context.db, actor.organizationId, params.step_id)),
  )
}
