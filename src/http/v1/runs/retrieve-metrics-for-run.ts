import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { Nullable } from '#http/wire/nullable.ts'
import { findRunMetrics } from '#store/runs/run-metrics.ts'
import { runNotFound } from './get-run.ts'
import { RunId } from './run-schema.ts'

const RunMetricsSchema = Type.Object({
  id: Type.String(),
  agent_id: Nullable(Type.String()),
  project_id: Nullable(Type.String()),
  run_start_ns: Nullable(Type.Integer({ description: 'Nanoseconds since 1970' })),
  run_ns: Nullable(Type.Integer({ description: 'Nanoseconds from creation to end; null while it works' })),
  num_steps: Nullable(Type.Integer()),
  tools_used: Nullable(Type.Array(Type.String(), { description: 'Ids of the tools that were called' })),
  template_id: Type.Null(),
  base_template_id: Type.Null(),
})

export function retrieveMetricsForRun(app: App, context: Context): void {
  app.get(
    '/v1/runs/:run_id/metrics',
    {
      config: { permission: 'runs:read' },
      schema: {
        operationId: 'retrieve_metrics_for_run',
        tags: ['runs'],
        summary: 'Times, steps and tools of a run',
        params: RunId,
        response: { 200: RunMetricsSchema },
      },
    },
    async ({ actor, params }) => {
      const row = await findRunMetrics(context.db, actor.organizationId, params.run_id)
      if (row === undefined) throw runNotFound(params.run_id)
      return {
        id: row.id,
        agent_id: row.agent_id,
        project_id: row.project_id,
        run_start_ns: row.created_at.getTime() * 1_000_000,
        run_ns: row.total_duration_ns,
        num_steps: row.step_count,
        tools_used: row.tool_ids,
        template_id: null,
        base_template_id: null,
      }
    },
  )
}
