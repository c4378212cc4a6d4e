import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { collectResponse } from '#http/v1/agents/messages/collect-response.ts'
import { ConversationMessageRequest } from '#http/v1/agents/messages/message-request-schema.ts'
import { ResponseSchema } from '#http/v1/agents/messages/send-message.ts'
import { streamResponse } from '#http/v1/agents/messages/stream-response.ts'
import { toRun } from '#http/v1/agents/messages/to-run.ts'
import { unprocessable } from '#platform/errors.ts'
import { toThread } from './conversation-id.ts'
import { ThreadPath } from './conversation-schema.ts'

export function sendConversationMessage(app: App, context: Context): void {
  app.post(
    '/v1/conversations/:conversation_id/messages',
    {
      config: { permission: 'messages:write', idempotency: 'run' },
      schema: {
        operationId: 'send_conversation_message',
        tags: ['conversations'],
        summary: 'Send messages to a conversation and get the answer, as a stream of events unless told otherwise',
        params: ThreadPath,
        body: ConversationMessageRequest,
        response: { 200: ResponseSchema },
      },
    },
    async (request, reply) => {
      const { body, params, actor } = request
      const isStreaming = body.streaming ?? true
      if (!isStreaming && body.background === true) throw unprocessable('background needs streaming: true.')
      const run = await toRun(context.models, actor, toThread(params.conversation_id, body.agent_id), body, {
        requestId: request.id,
        runType: isStreaming ? 'send_message_streaming' : 'send_conversation_message',
        background: body.background ?? false,
        idempotencyKey: request.idempotencyKey,
        onBusy: 'reject',
      })
      if (isStreaming) return streamResponse(context, { request, reply }, run, body)
      return collectResponse(context, reply, run)
    },
  )
}
