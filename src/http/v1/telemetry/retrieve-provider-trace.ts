import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { StepId } from '#http/v1/steps/step-schema.ts'
import { Nullable } from '#http/wire/nullable.ts'
import { readTrace } from './read-trace.ts'
import { ProviderTraceSchema } from './trace-schema.ts'

export function retrieveProviderTrace(app: App, context: Context): void {
  app.get(
    '/v1/telemetry/:step_id',
    {
      config: { permission: 'steps:read' },
      schema: {
        operationId: 'retrieve_provider_trace',
        tags: ['telemetry'],
        summary: 'What a step said to its provider and back; the same as /v1/steps/{step_id}/trace',
        params: StepId,
        response: { 200: Nullable(ProviderTraceSchema) },
      },
    },
    async ({ actor, params }, reply) => readTrace(context.db, actor.organizationId, params.step_id, reply),
  )
}
