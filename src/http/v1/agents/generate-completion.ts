import Type from 'typebox'
import { generate } from '#agent/generate.ts'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { AnyObject, Nullable } from '#http/wire/nullable.ts'
import type { Usage } from '#llm/model.ts'
import { AgentId } from './agent-schema.ts'

const Body = Type.Object({
  prompt: Type.String({ minLength: 1 }),
  system_prompt: Type.Optional(Nullable(Type.String())),
  override_model: Type.Optional(Nullable(Type.String({ description: "Handle, instead of the agent's model" }))),
  response_schema: Type.Optional(
    Nullable(
      Type.Unsafe<AnyObject>({
        ...AnyObject,
        description: 'JSON Schema of an object; the content is then JSON, as far as the model keeps to it',
      }),
    ),
  ),
})

const NullableInteger = Nullable(Type.Integer())
const Completion = Type.Object({
  content: Type.String(),
  model: Type.String({ description: 'Handle of the model that answered' }),
  usage: Type.Object({
    message_type: Type.Literal('usage_statistics'),
    completion_tokens: Type.Integer(),
    prompt_tokens: Type.Integer(),
    total_tokens: Type.Integer(),
    step_count: Type.Integer(),
    run_ids: Type.Null(),
    cached_input_tokens: NullableInteger,
    cache_write_tokens: NullableInteger,
    reasoning_tokens: NullableInteger,
    context_tokens: NullableInteger,
  }),
})

export function generateCompletion(app: App, context: Context): void {
  app.post(
    '/v1/agents/:agent_id/generate',
    {
      config: { permission: 'agents:write' },
      schema: {
        operationId: 'generate_completion',
        tags: ['agents'],
        summary: "Ask the agent's model one question, without memory, tools or a trace in the agent",
        params: AgentId,
        body: Body,
        response: { 200: Completion },
      },
    },
    async ({ actor, params, body }, reply) => {
      const gone = new AbortController()
      // nobody else waits for the answer
      reply.raw.once('close', () => gone.abort())
      const { content, model, usage } = await generate(context, actor, params.agent_id, body, gone.signal)
      return { content, model, usage: presentUsage(usage) }
    },
  )
}

const presentUsage = (usage: Usage) => ({
  message_type: 'usage_statistics' as const,
  completion_tokens: usage.outputTokens,
  prompt_tokens: usage.inputTokens,
  total_tokens: usage.inputTokens + usage.outputTokens,
  step_count: 1,
  run_ids: null,
  cached_input_tokens: usage.cachedInputTokens,
  cache_write_tokens: usage.cacheWriteTokens,
  reasoning_tokens: usage.reasoningTokens,
  context_tokens: null,
})
