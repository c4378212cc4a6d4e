import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { Nullable, StringEnum } from '#http/wire/nullable.ts'
import { giveFeedback } from '#runs/give-feedback.ts'
import { presentStep } from './present-step.ts'
import { StepId, StepSchema } from './step-schema.ts'

export function modifyFeedbackForStep(app: App, context: Context): void {
  app.patch(
    '/v1/steps/:step_id/feedback',
    {
      config: { permission: 'steps:write' },
      schema: {
        operationId: 'modify_feedback_for_step',
        tags: ['steps'],
        summary: 'Set the feedback on a step; null clears it',
        params: StepId,
        body: Type.Object({
          feedback: Type.Optional(Nullable(StringEnum(['positive', 'negative']))),
          tags: Type.Optional(Nullable(Type.Array(Type.String()))),
        }),
        response: { 200: StepSchema },
      },
    },
    async ({ actor, params, body }) => {
      const feedback = { rating: body.feedback ?? null, tags: body.tags ?? undefined }
      return presentStep(await giveFeedback(context.db, actor.organizationId, params.step_id, feedback))
    },
  )
}
