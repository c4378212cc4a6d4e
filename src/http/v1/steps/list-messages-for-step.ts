import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { MessageListSchema } from '#http/wire/message-schema.ts'
import { pagingParameters, toPageRequest } from '#http/wire/paging.ts'
import { presentMessages } from '#http/wire/present-message.ts'
import { listRunMessages } from '#store/runs/run-message-reader.ts'
import { getStep } from './get-step.ts'
import { StepId } from './step-schema.ts'

export function listMessagesForStep(app: App, context: Context): void {
  app.get(
    '/v1/steps/:step_id/messages',
    {
      config: { permission: 'steps:read' },
      schema: {
        operationId: 'list_messages_for_step',
        tags: ['steps'],
        summary: 'List the messages of a step, oldest first unless asked otherwise',
        params: StepId,
        querystring: Type.Object(pagingParameters({ limit: 100, order: 'asc' })),
        response: { 200: MessageListSchema },
      },
    },
    async ({ actor, params, query }) => {
      const step = await getStep(context.db, actor.organizationId, params.step_id)
      const rows = await listRunMessages(
        context.db,
        actor.organizationId,
        { runId: step.run_id, stepId: step.id },
        toPageRequest(query),
      )
      return presentMessages(rows)
    },
  )
}
