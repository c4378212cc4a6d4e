import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { STOP_REASONS } from '#http/v1/runs/run-schema.ts'
import { IdSchema } from '#http/wire/ids.ts'
import { MessageListSchema } from '#http/wire/message-schema.ts'
import { Nullable, StringEnum } from '#http/wire/nullable.ts'
import { unprocessable } from '#platform/errors.ts'
import { collectResponse } from './collect-response.ts'
import { MessageRequest, UsageSchema } from './message-request-schema.ts'
import { streamResponse } from './stream-response.ts'
import { toRun } from './to-run.ts'

export const ResponseSchema = Type.Object({
  messages: MessageListSchema,
  stop_reason: Type.Object({ message_type: Type.Literal('stop_reason'), stop_reason: StringEnum(STOP_REASONS) }),
  usage: UsageSchema,
  logprobs: Nullable(Type.Null()),
  turns: Nullable(Type.Null()),
})

export function sendMessage(app: App, context: Context): void {
  app.post(
    '/v1/agents/:agent_id/messages',
    {
      config: { permission: 'messages:write', idempotency: 'run' },
      schema: {
        operationId: 'send_message',
        tags: ['agents'],
        summary: 'Send messages to an agent and get its answer, whole or as a stream of events',
        params: Type.Object({ agent_id: IdSchema('agent') }),
        body: MessageRequest,
        response: { 200: ResponseSchema },
      },
    },
    async (request, reply) => {
      const { body, params, actor } = request
      const isStreaming = body.streaming ?? false
      if (!isStreaming && body.background === true) {
        throw unprocessable('background needs streaming: true; for a run without a stream use /messages/async.')
      }
      const runType = isStreaming ? 'send_message_streaming' : 'send_message'
      const run = await toRun(context.models, actor, { agentId: params.agent_id }, body, {
        requestId: request.id,
        runType,
        background: body.background ?? false,
        idempotencyKey: request.idempotencyKey,
      })
      if (isStreaming) return streamResponse(context, { request, reply }, run, body)
      return collectResponse(context, reply, run)
    },
  )
}
