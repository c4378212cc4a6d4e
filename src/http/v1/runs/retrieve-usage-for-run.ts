import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { sumUsageOfTree } from '#store/runs/sum-usage.ts'
import { getRun } from './get-run.ts'
import { presentUsage } from './present-usage.ts'
import { RunId, UsageSchema } from './run-schema.ts'

export function retrieveUsageForRun(app: App, context: Context): void {
  app.get(
    '/v1/runs/:run_id/usage',
    {
      config: { permission: 'runs:read' },
      schema: {
        operationId: 'retrieve_usage_for_run',
        tags: ['runs'],
        summary: 'Tokens that a run has used, over all of its steps',
        params: RunId,
        querystring: Type.Object({
          include_sent: Type.Boolean({
            default: false,
            description: 'Also of the runs that it began by sending messages to other agents, and that those began',
          }),
        }),
        response: { 200: UsageSchema },
      },
    },
    async ({ actor, params, query }) => {
      const { usage } = await getRun(context.db, actor.organizationId, params.run_id)
      if (!query.include_sent) return presentUsage(usage)
      return presentUsage(await sumUsageOfTree(context.db, actor.organizationId, params.run_id))
    },
  )
}
