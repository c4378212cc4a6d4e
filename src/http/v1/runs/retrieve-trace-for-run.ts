import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { findRunTrace } from '#store/runs/run-trace.ts'
import { runNotFound } from './get-run.ts'
import { presentTrace, SpanSchema } from './present-trace.ts'
import { RunId } from './run-schema.ts'

export function retrieveTraceForRun(app: App, context: Context): void {
  app.get(
    '/v1/runs/:run_id/trace',
    {
      config: { permission: 'runs:read' },
      schema: {
        operationId: 'retrieve_trace_for_run',
        tags: ['runs'],
        summary: 'The course of a run as spans: the run, its steps, its calls of tools, the first token',
        params: RunId,
        querystring: Type.Object({
          limit: Type.Integer({ minimum: 1, maximum: 10_000, default: 1_000, description: 'Spans at most' }),
        }),
        response: { 200: Type.Array(SpanSchema) },
      },
    },
    async ({ actor, params, query }) => {
      const trace = await findRunTrace(context.db, actor.organizationId, params.run_id, query.limit)
      if (trace === undefined) throw runNotFound(params.run_id)
      return presentTrace(trace).slice(0, query.limit)
    },
  )
}
