import * as batch from '#agent/create-batch.ts'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { toRun } from '#http/v1/agents/messages/to-run.ts'
import { DomainError } from '#platform/errors.ts'
import { checkCallbackUrl } from '#runs/check-callback-url.ts'
import { BatchRequest, BatchSchema } from './batch-schema.ts'
import { getBatch } from './get-batch.ts'
import { presentBatch } from './present-batch.ts'

export function createBatch(app: App, context: Context): void {
  app.post(
    '/v1/messages/batches',
    {
      config: { permission: 'messages:write' },
      schema: {
        operationId: 'create_batch',
        tags: ['messages'],
        summary: 'Send messages to many agents, a few at a time in the background; all of it is accepted or nothing',
        body: BatchRequest,
        response: { 200: BatchSchema },
      },
    },
    async ({ actor, body, id }) => {
      if (body.callback_url != null) checkCallbackUrl(body.callback_url, context.config.webhookAddresses === 'any')
      const kind = { requestId: id, runType: 'send_batch_message', background: true }
      const runs = await Promise.all(
        body.requests.map(async ({ agent_id, ...request }, index) => {
          try {
            const run = await toRun(context.models, actor, { agentId: agent_id }, request, kind)
            return { ...run, thread: { agentId: agent_id } }
          } catch (error) {
            throw withPlace(error, `requests.${index}`)
          }
        }),
      )
      const batchId = await batch.createBatch(context.db, actor, runs, body.callback_url ?? null)
      return presentBatch(await getBatch(context.db, actor.organizationId, batchId))
    },
  )
}

/** Says which request it is about. */
function withPlace(error: unknown, place: string): unknown {
  if (!(error instanceof DomainError) || error.options.detail !== undefined) return error
  return new DomainError(error.kind, `${place}: ${error.message}`, error.options)
}
