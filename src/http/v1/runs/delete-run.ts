import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { NullBody, sendNull } from '#http/wire/send-null.ts'
import { removeRun } from '#runs/remove-run.ts'
import { RunId } from './run-schema.ts'

export function deleteRun(app: App, context: Context): void {
  app.delete(
    '/v1/runs/:run_id',
    {
      config: { permission: 'runs:write' },
      schema: {
        operationId: 'delete_run',
        tags: ['runs'],
        summary: 'Delete the record of a run that has ended; its messages stay',
        params: RunId,
        response: { 200: NullBody },
      },
    },
    async ({ actor, params }, reply) => {
      await removeRun(context.db, actor.organizationId, params.run_id)
      return sendNull(reply)
    },
  )
}
