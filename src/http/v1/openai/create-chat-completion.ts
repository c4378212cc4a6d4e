import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { collectResponse } from '#http/v1/agents/messages/collect-response.ts'
import { AnyObject, Nullable, StringEnum } from '#http/wire/nullable.ts'
import { ChatStream, chatIdOf, finishReasonOf, PARAGRAPH } from './chat-stream.ts'
import { sendOpenAiError } from './openai-error.ts'
import { ChatRequest } from './request-schema.ts'
import { streamAnswer } from './stream-answer.ts'
import { toAgentRun } from './to-agent-run.ts'
import { toInputMessages } from './to-input-messages.ts'
import { presentChatUsage } from './usage.ts'

const ChatCompletionSchema = Type.Object({
  id: Type.String(),
  object: Type.Literal('chat.completion'),
  created: Type.Integer(),
  model: Type.String(),
  choices: Type.Array(
    Type.Object({
      index: Type.Integer(),
      message: Type.Object({
        role: Type.Literal('assistant'),
        content: Type.String(),
        refusal: Type.Null(),
        reasoning_content: Type.Optional(Type.String()),
      }),
      logprobs: Type.Null(),
      finish_reason: StringEnum(['stop', 'length']),
    }),
  ),
  usage: AnyObject,
  service_tier: Type.Null(),
  system_fingerprint: Nullable(Type.String()),
})

/** Under V1's path, and under the one that programs find when they are given `/v1/openai` as their base URL. */
const PATHS = {
  create_chat_completion: '/v1/chat/completions',
  create_openai_chat_completion: '/v1/openai/chat/completions',
} as const

export function createChatCompletion(app: App, context: Context): void {
  for (const [operationId, path] of Object.entries(PATHS)) {
    app.post(
      path,
      {
        config: { permission: 'messages:write', idempotency: 'run' },
        errorHandler: sendOpenAiError,
        schema: {
          operationId,
          tags: ['openai'],
          summary: 'OpenAI: let an agent answer, whole or as a stream',
          body: ChatRequest,
          response: { 200: ChatCompletionSchema },
        },
      },
      async (request, reply) => {
        const { model, messages, stream, stream_options: options } = request.body
        const isStreaming = stream ?? false
        const run = await toAgentRun(context, request, {
          model,
          messages: toInputMessages(messages),
          isStreaming,
          runType: 'openai_chat_completion',
        })
        if (isStreaming) {
          const hasUsage = options?.include_usage ?? false
          return streamAnswer(
            context,
            { request, reply },
            run,
            (events, runId) => new ChatStream(events, { runId, model, hasUsage }),
          )
        }
        return presentCompletion(await collectResponse(context, reply, run), model, run.runId)
      },
    )
  }
}

type Collected = Awaited<ReturnType<typeof collectResponse>>

function presentCompletion({ messages, stop_reason, usage }: Collected, model: string, newRunId: string) {
  const textsOf = (type: string, field: string) =>
    messages.filter((message) => message.message_type === type).map((message) => String(message[field]))
  const reasoning = textsOf('reasoning_message', 'reasoning').join(PARAGRAPH)
  return {
    // of a request that comes again it is the run of the first one
    id: chatIdOf(messages[0]?.run_id ?? newRunId),
    object: 'chat.completion' as const,
    created: Math.floor(Date.now() / 1000),
    model,
    choices: [
      {
        index: 0,
        message: {
          role: 'assistant' as const,
          content: textsOf('assistant_message', 'content').join(PARAGRAPH),
          refusal: null,
          ...(reasoning === '' ? {} : { reasoning_content: reasoning }),
        },
        logprobs: null,
        finish_reason: finishReasonOf(stop_reason.stop_reason),
      },
    ],
    usage: presentChatUsage(usage),
    service_tier: null,
    system_fingerprint: null,
  }
}
