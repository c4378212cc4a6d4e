import Type from 'typebox'
import { threadNotFound } from '#agent/get-thread.ts'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { REPLAYED } from '#http/plugins/idempotency.ts'
import { getRun } from '#http/v1/runs/get-run.ts'
import { presentRun } from '#http/v1/runs/present-run.ts'
import { RunSchema } from '#http/v1/runs/run-schema.ts'
import { IdSchema } from '#http/wire/ids.ts'
import { checkCallbackUrl } from '#runs/check-callback-url.ts'
import { AsyncMessageRequest } from './message-request-schema.ts'
import { toRun } from './to-run.ts'

export function createAgentMessageAsync(app: App, context: Context): void {
  app.post(
    '/v1/agents/:agent_id/messages/async',
    {
      config: { permission: 'messages:write', idempotency: 'run' },
      schema: {
        operationId: 'create_agent_message_async',
        tags: ['agents'],
        summary: 'Send messages to an agent and get the run at once, to be asked for later',
        params: Type.Object({ agent_id: IdSchema('agent') }),
        body: AsyncMessageRequest,
        response: { 200: RunSchema },
      },
    },
    async ({ actor, body, id, idempotencyKey, params }, reply) => {
      if (body.callback_url != null) {
        checkCallbackUrl(body.callback_url, context.config.webhookAddresses === 'any')
      }
      const run = await toRun(context.models, actor, { agentId: params.agent_id }, body, {
        requestId: id,
        runType: 'send_message_async',
        background: true,
        idempotencyKey,
      })
      const started = await context.runs.start(run)
      if (started === undefined) throw threadNotFound(run.thread)
      if (started.isRepeated) reply.header(REPLAYED, 'true')
      return presentRun(await getRun(context.db, actor.organizationId, started.runId))
    },
  )
}
