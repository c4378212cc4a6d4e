import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { listAgentNames } from '#store/agents/agent-name-reader.ts'
import { OpenAiModelSchema, presentAgentModel } from './model-schema.ts'
import { sendOpenAiError } from './openai-error.ts'

/** Programs show the whole list in one menu; agents that are not in it can be named all the same. */
const MAX_MODELS = 1_000

export function listOpenAiModels(app: App, context: Context): void {
  app.get(
    '/v1/openai/models',
    {
      config: { permission: 'agents:read' },
      errorHandler: sendOpenAiError,
      schema: {
        operationId: 'list_openai_models',
        tags: ['openai'],
        summary: 'OpenAI: list the newest 1000 agents as models',
        response: { 200: Type.Object({ object: Type.Literal('list'), data: Type.Array(OpenAiModelSchema) }) },
      },
    },
    async ({ actor }) => {
      const agents = await listAgentNames(context.db, actor.organizationId, MAX_MODELS)
      return { object: 'list' as const, data: agents.map(presentAgentModel) }
    },
  )
}
