import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { IdSchema } from '#http/wire/ids.ts'
import { MessageRequest } from './message-request-schema.ts'
import { streamResponse } from './stream-response.ts'
import { toRun } from './to-run.ts'

export function createAgentMessageStream(app: App, context: Context): void {
  app.post(
    '/v1/agents/:agent_id/messages/stream',
    {
      config: { permission: 'messages:write', idempotency: 'run' },
      schema: {
        operationId: 'create_agent_message_stream',
        tags: ['agents'],
        summary: 'Send messages to an agent and get its answer as a stream of events',
        params: Type.Object({ agent_id: IdSchema('agent') }),
        body: MessageRequest,
      },
    },
    async (request, reply) => {
      const { body, params, actor } = request
      const kind = {
        requestId: request.id,
        runType: 'send_message_streaming',
        background: body.background ?? false,
        idempotencyKey: request.idempotencyKey,
      }
      const run = await toRun(context.models, actor, { agentId: params.agent_id }, body, kind)
      return streamResponse(context, { request, reply }, run, body)
    },
  )
}
