import { previewModelRequest } from '#agent/preview-model-request.ts'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { loopOptions } from '#http/v1/agents/messages/loop-options.ts'
import { ConversationMessageRequest } from '#http/v1/agents/messages/message-request-schema.ts'
import { toRun } from '#http/v1/agents/messages/to-run.ts'
import { AnyObject } from '#http/wire/nullable.ts'
import { toThread } from './conversation-id.ts'
import { ThreadPath } from './conversation-schema.ts'

export function previewConversationModelRequest(app: App, context: Context): void {
  app.post(
    '/v1/conversations/:conversation_id/messages/preview-raw-payload',
    {
      config: { permission: 'messages:read', idempotency: 'none' },
      schema: {
        operationId: 'preview_conversation_model_request',
        tags: ['conversations'],
        summary: "What the model's provider would get for these messages; nothing is stored or sent",
        params: ThreadPath,
        body: ConversationMessageRequest,
        response: { 200: AnyObject },
      },
    },
    async ({ actor, body, id, params }) => {
      const kind = { requestId: id, runType: 'preview', background: false }
      const run = await toRun(context.models, actor, toThread(params.conversation_id, body.agent_id), body, kind)
      return previewModelRequest(loopOptions(context), run)
    },
  )
}
