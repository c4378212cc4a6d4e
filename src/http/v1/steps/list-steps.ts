import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { IdSchema } from '#http/wire/ids.ts'
import { parseMoment } from '#http/wire/moment.ts'
import { StringEnum } from '#http/wire/nullable.ts'
import { pagingParameters, toPageRequest } from '#http/wire/paging.ts'
import * as reader from '#store/steps/step-reader.ts'
import { presentStep } from './present-step.ts'
import { StepSchema } from './step-schema.ts'

export function listSteps(app: App, context: Context): void {
  app.get(
    '/v1/steps',
    {
      config: { permission: 'steps:read' },
      schema: {
        operationId: 'list_steps',
        tags: ['steps'],
        summary: 'List steps, newest first unless asked otherwise',
        querystring: Type.Object({
          ...pagingParameters(),
          start_date: Type.Optional(Type.String({ description: 'ISO 8601, inclusive' })),
          end_date: Type.Optional(Type.String({ description: 'ISO 8601, inclusive' })),
          model: Type.Optional(Type.String({ description: "The provider's name of the model, or its handle" })),
          agent_id: Type.Optional(IdSchema('agent')),
          trace_ids: Type.Optional(Type.Array(Type.String())),
          feedback: Type.Optional(StringEnum(['positive', 'negative'])),
          has_feedback: Type.Optional(Type.Boolean()),
          tags: Type.Optional(Type.Array(Type.String(), { description: 'One of these' })),
          project_id: Type.Optional(Type.String()),
        }),
        response: { 200: Type.Array(StepSchema) },
      },
    },
    async ({ actor, query }) => {
      const filter: reader.StepFilter = {
        agentId: query.agent_id,
        projectId: query.project_id,
        model: query.model,
        traceIds: query.trace_ids,
        feedback: query.feedback,
        hasFeedback: query.has_feedback,
        tags: query.tags,
        start: parseMoment('start_date', query.start_date),
        end: parseMoment('end_date', query.end_date, true),
      }
      const rows = await reader.listSteps(context.db, actor.organizationId, filter, toPageRequest(query))
      return rows.map(presentStep)
    },
  )
}
