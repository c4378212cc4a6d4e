import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { collectResponse } from '#http/v1/agents/messages/collect-response.ts'
import { AnyObject, Nullable, StringEnum } from '#http/wire/nullable.ts'
import { sendOpenAiError } from './openai-error.ts'
import { presentOutput, presentResponse } from './present-response.ts'
import { ResponsesRequest } from './request-schema.ts'
import { ResponseStream } from './response-stream.ts'
import { streamAnswer } from './stream-answer.ts'
import { toAgentRun } from './to-agent-run.ts'
import { toInputMessages } from './to-input-messages.ts'
import { presentResponseUsage } from './usage.ts'

/** What readers of a response need; the other fields are OpenAI's with their defaults. */
const ResponseSchema = Type.Object({
  id: Type.String(),
  object: Type.Literal('response'),
  created_at: Type.Integer(),
  status: StringEnum(['completed', 'incomplete', 'failed', 'in_progress']),
  model: Type.String(),
  output: Type.Array(AnyObject),
  previous_response_id: Nullable(Type.String()),
  usage: Nullable(AnyObject),
})

const PATHS = {
  create_response: '/v1/responses',
  create_openai_response: '/v1/openai/responses',
} as const

export function createResponse(app: App, context: Context): void {
  for (const [operationId, path] of Object.entries(PATHS)) {
    app.post(
      path,
      {
        config: { permission: 'messages:write', idempotency: 'run' },
        errorHandler: sendOpenAiError,
        schema: {
          operationId,
          tags: ['openai'],
          summary: 'OpenAI: let an agent answer, as a response or as a stream of its events',
          body: ResponsesRequest,
          response: { 200: ResponseSchema },
        },
      },
      async (request, reply) => {
        const { model, input, stream } = request.body
        const isStreaming = stream ?? false
        const messages = typeof input === 'string' ? [{ role: 'user', content: input }] : input
        const run = await toAgentRun(context, request, {
          model,
          messages: toInputMessages(messages),
          isStreaming,
          runType: 'openai_response',
        })
        if (isStreaming) {
          return streamAnswer(
            context,
            { request, reply },
            run,
            (events, runId) => new ResponseStream(events, { runId, request: request.body }),
          )
        }
        const answer = await collectResponse(context, reply, run)
        return presentResponse({
          // of a request that comes again it is the run of the first one
          runId: answer.messages[0]?.run_id ?? run.runId,
          createdAt: Math.floor(Date.now() / 1000),
          request: request.body,
          output: answer.messages
            .filter((message) => message.message_type === 'assistant_message')
            .map((message) => presentOutput(message.id, String(message.content))),
          usage: presentResponseUsage(answer.usage),
          stopReason: answer.stop_reason.stop_reason,
        })
      },
    )
  }
}
