import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { readTrace } from '#http/v1/telemetry/read-trace.ts'
import { ProviderTraceSchema } from '#http/v1/telemetry/trace-schema.ts'
import { Nullable } from '#http/wire/nullable.ts'
import { StepId } from './step-schema.ts'

export function retrieveTraceForStep(app: App, context: Context): void {
  app.get(
    '/v1/steps/:step_id/trace',
    {
      config: { permission: 'steps:read' },
      schema: {
        operationId: 'retrieve_trace_for_step',
        tags: ['steps'],
        summary:
          'What the step said to its provider and back; null unless the server keeps that (PERDURE_PROVIDER_TRACES)',
        params: StepId,
        response: { 200: Nullable(ProviderTraceSchema) },
      },
    },
    async ({ actor, params }, reply) => readTrace(context.db, actor.organizationId, params.step_id, reply),
  )
}
