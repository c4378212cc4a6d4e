import Type from 'typebox'
import * as agent from '#agent/preview-model-request.ts'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { IdSchema } from '#http/wire/ids.ts'
import { AnyObject } from '#http/wire/nullable.ts'
import { loopOptions } from './loop-options.ts'
import { MessageRequest } from './message-request-schema.ts'
import { toRun } from './to-run.ts'

export function previewModelRequest(app: App, context: Context): void {
  app.post(
    '/v1/agents/:agent_id/messages/preview-raw-payload',
    {
      config: { permission: 'messages:read', alsoNeeds: 'agents:read', idempotency: 'none' },
      schema: {
        operationId: 'preview_model_request',
        tags: ['agents'],
        summary: "What the model's provider would get for these messages; nothing is stored or sent",
        params: Type.Object({ agent_id: IdSchema('agent') }),
        body: MessageRequest,
        response: { 200: AnyObject },
      },
    },
    async ({ actor, body, id, params }) => {
      const kind = { requestId: id, runType: 'preview', background: false }
      const run = await toRun(context.models, actor, { agentId: params.agent_id }, body, kind)
      return agent.previewModelRequest(loopOptions(context), run)
    },
  )
}
