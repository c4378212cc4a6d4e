import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { MessageListSchema } from '#http/wire/message-schema.ts'
import { pagingParameters, toPageRequest } from '#http/wire/paging.ts'
import { presentMessages } from '#http/wire/present-message.ts'
import { listRunMessages } from '#store/runs/run-message-reader.ts'
import { getRun } from './get-run.ts'
import { RunId } from './run-schema.ts'

export function listMessagesForRun(app: App, context: Context): void {
  app.get(
    '/v1/runs/:run_id/messages',
    {
      config: { permission: 'runs:read' },
      schema: {
        operationId: 'list_messages_for_run',
        tags: ['runs'],
        summary: 'List the messages of a run, oldest first unless asked otherwise',
        params: RunId,
        querystring: Type.Object(pagingParameters({ limit: 100, order: 'asc' })),
        response: { 200: MessageListSchema },
      },
    },
    async ({ actor, params, query }) => {
      await getRun(context.db, actor.organizationId, params.run_id)
      const rows = await listRunMessages(
        context.db,
        actor.organizationId,
        { runId: params.run_id },
        toPageRequest(query),
      )
      return presentMessages(rows)
    },
  )
}
